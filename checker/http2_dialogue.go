package checker

// An http2Dialogue is one HTTP check by HTTP/2.
type http2Dialogue struct {
	h       *HTTP
	answer  *http2Answer // nil before the request
	decided bool         // the head is good
}

// Next implements Dialogue.
func (d *http2Dialogue) Next(in []byte, eof bool) Step {
	if d.answer == nil {
		d.answer = newHTTP2Answer(d.h.Limit)
		return Step{Send: d.h.request(nil)}
	}
	step, err := d.answer.read(in, eof)
	if d.answer.status() != 0 && !d.decided {
		if verdict := d.h.verdictOfHead(d.answer.head()); verdict.Done || verdict.Follow != nil {
			return verdict
		}
		d.decided = true
	}
	switch {
	case err != nil:
		return d.h.fail("", err)
	case d.answer.over:
		return d.h.verdictOfBody(d.answer.head(), d.answer.body)
	}
	return step
}

// http2Request is the whole request.
func (o *HTTPOptions) http2Request(url webURL, host string) []byte {
	fields := [][2]string{
		{":method", o.Method}, {":scheme", url.scheme}, {":path", url.path},
	}
	more := o.allHeaders(url, host)
	if authority := more[0][1]; authority != "" {
		fields = append(fields, [2]string{":authority", authority})
	}
	return http2Request(append(fields, more[1:]...), nil)
}
