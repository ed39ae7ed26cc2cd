package conf

import "time"

// inherit gives a virtual service every value that its block left to the global
// directives, and the defaults for what neither says.
func (p *parser) inherit(b *block) {
	v, own, global := b.v, &b.settings, &p.global
	v.CheckInterval = own.checkInterval.orElse(p.config.CheckInterval)
	v.CheckTimeout = own.checkTimeout.or(own.negotiateTimeout).
		or(global.checkTimeout).or(global.negotiateTimeout).orElse(5 * time.Second)
	v.NegotiateTimeout = own.negotiateTimeout.or(own.checkTimeout).
		or(global.negotiateTimeout).or(global.checkTimeout).orElse(30 * time.Second)
	v.FastInterval = own.fastInterval.or(global.fastInterval).value
	v.DownInterval = own.downInterval.or(global.downInterval).value
	v.SlowStart = own.slowStart.or(global.slowStart).value
	v.CheckCount = own.checkCount.or(global.checkCount).orElse(1)
	v.ChkLoop = own.chkLoop.or(global.chkLoop).orElse(1)
	v.FailureCount = own.failureCount.or(global.failureCount).orElse(1)
	v.RiseCount = own.riseCount.or(global.riseCount).orElse(1)
	v.HalfOpen = own.halfOpen.or(global.halfOpen).orElse(true)
	v.MinAlive = own.minAlive.or(global.minAlive).value

	v.Quiescent = own.quiescent.or(global.quiescent).value
	v.CleanStop = own.cleanStop.or(global.cleanStop).orElse(true)
	v.FallbackCommand = own.fallbackCommand.or(global.fallbackCommand).value
	if v.Fallback == nil {
		v.Fallback = p.globalFallbackFor(v)
	}

	v.EmailAlert = own.emailAlert.or(global.emailAlert).value
	v.EmailAlertFreq = own.emailAlertFreq.or(global.emailAlertFreq).value
	v.EmailAlertStatus = own.emailAlertStatus.or(global.emailAlertStatus).orElse(All)
	v.EmailAlertFrom = p.mailFrom
	v.SMTP = own.smtp.or(global.smtp).value

	inheritTLS(v, own, global)
	inheritHTTP(v, own, global)
	for _, r := range v.Reals {
		if !r.OwnRequest {
			r.Request, r.Receive = v.Request, v.Receive
		}
	}
}

func inheritTLS(v *VirtualService, own, global *settings) {
	v.StartTLS = own.startTLS.or(global.startTLS).value
	v.SSLVerify = own.sslVerify.or(global.sslVerify).value
	v.SSLCAFile = own.sslCAFile.or(global.sslCAFile).value
	v.SSLName = own.sslName.or(global.sslName).value
	v.SSLCert = own.sslCert.or(global.sslCert).value
	v.SSLKey = own.sslKey.or(global.sslKey).value
	v.SSLExpiryWarn = own.sslExpiryWarn.or(global.sslExpiryWarn).value
}

func inheritHTTP(v *VirtualService, own, global *settings) {
	v.HTTPStatus = own.httpStatus.or(global.httpStatus).value
	v.HTTPHeader = global.httpHeader
	if own.httpHeader != nil {
		v.HTTPHeader = own.httpHeader
	}
	v.HTTPVersion = own.httpVersion.or(global.httpVersion).value
	v.HTTPFollow = own.httpFollow.or(global.httpFollow).value
	v.ReceiveNot = own.receiveNot.or(global.receiveNot).value
	v.ReceiveBytes = own.receiveBytes.or(global.receiveBytes).value
}
