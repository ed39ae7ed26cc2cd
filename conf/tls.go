package conf

import "errors"

// setStartTLS is starttls = yes|no: begin in plain text, as smtp and imap can.
func setStartTLS(at *place, value string) error {
	yes, err := yesNo("starttls", value)
	at.settings.startTLS.set(yes)
	return err
}

// setSSLVerify is sslverify = yes|no. Not given it is neither: the chain is
// verified, the name is not.
func setSSLVerify(at *place, value string) error {
	yes, err := yesNo("sslverify", value)
	if yes {
		at.settings.sslVerify.set(VerifyFull)
	} else {
		at.settings.sslVerify.set(VerifyNone)
	}
	return err
}

// setSSLCAFile is sslcafile = /path: whose signatures count.
func setSSLCAFile(at *place, value string) error {
	return at.text(&at.settings.sslCAFile, value, "sslcafile must be the path of a file of certificates")
}

// setSSLName is sslname = NAME: asked for and verified.
func setSSLName(at *place, value string) error {
	return at.text(&at.settings.sslName, value, "sslname must be a host name")
}

// setSSLCert is sslcert = /path: the client's certificate.
func setSSLCert(at *place, value string) error {
	return at.text(&at.settings.sslCert, value, "sslcert must be the path of a certificate")
}

// setSSLKey is sslkey = /path: the key to sslcert, if it is not in the same file.
func setSSLKey(at *place, value string) error {
	return at.text(&at.settings.sslKey, value, "sslkey must be the path of a key")
}

// setSSLExpiryWarn is sslexpirywarn = DAYS: before a certificate's end, 0 is
// never.
func setSSLExpiryWarn(at *place, value string) error {
	days, err := exactNumber("sslexpirywarn", value, 0)
	at.settings.sslExpiryWarn.set(days)
	return err
}

// text reads a value that may stand in quotes and must not be empty.
func (at *place) text(o *optional[string], value, empty string) error {
	text := bareText(value)
	if text == "" {
		return errors.New(empty)
	}
	o.set(text)
	return nil
}
