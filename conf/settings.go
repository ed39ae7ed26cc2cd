package conf

import (
	"time"

	"github.com/ldirectord/ldirectord/internal/secret"
)

// settings are the directives that may stand outside blocks and inside: a
// block's own value counts before the global one.
type settings struct {
	checkInterval    optional[time.Duration]
	checkTimeout     optional[time.Duration]
	negotiateTimeout optional[time.Duration]
	fastInterval     optional[time.Duration]
	downInterval     optional[time.Duration]
	slowStart        optional[time.Duration]
	checkCount       optional[int]
	chkLoop          optional[int]
	failureCount     optional[int]
	riseCount        optional[int]
	minAlive         optional[MinAlive]
	halfOpen         optional[bool]

	quiescent       optional[bool]
	cleanStop       optional[bool]
	fallbackCommand optional[secret.Command]

	emailAlert       optional[string]
	emailAlertFreq   optional[time.Duration]
	emailAlertStatus optional[Status]
	smtp             optional[string]

	startTLS      optional[bool]
	sslVerify     optional[SSLVerify]
	sslCAFile     optional[string]
	sslName       optional[string]
	sslCert       optional[string]
	sslKey        optional[string]
	sslExpiryWarn optional[int]

	httpStatus   optional[[]StatusRange]
	httpHeader   []Header
	httpVersion  optional[HTTPVersion]
	httpFollow   optional[HTTPFollow]
	receiveNot   optional[string]
	receiveBytes optional[int64]
}

// An optional is a value that may not have been given.
type optional[T any] struct {
	value T
	given bool
}

func (o *optional[T]) set(value T) { *o = optional[T]{value, true} }

// or returns the value if it was given, else what other says.
func (o optional[T]) or(other optional[T]) optional[T] {
	if o.given {
		return o
	}
	return other
}

// orElse returns the value if it was given, else value.
func (o optional[T]) orElse(value T) T {
	if o.given {
		return o.value
	}
	return value
}

func defaultConfig(path string) *Config {
	return &Config{
		Path:       path,
		Scheduling: Scheduling{CheckInterval: 10 * time.Second, HoldLocal: true},
		DriftCheck: 5 * time.Second,
		Logs:       Logs{LogFile: "/var/log/ldirectord.log", MonitorLog: "/var/log/ipvsmonitor.log"},
	}
}
