package conf

// sslVerify is sslverify = yes|no. The default is neither: the chain is verified,
// the name is not.
var sslVerify = kind[SSLVerify]{value: yesNo.value, hint: yesNo.hint, read: func(at *location, value string) (SSLVerify, error) {
	yes, err := yesNo.read(at, value)
	if yes {
		return VerifyFull, err
	}
	return VerifyNone, err
}}
