package conf

// HostSetup is what the daemon sets up on its host.
type HostSetup uint8

// The values of the hostsetup directive.
const (
	HostSetupNo        HostSetup = iota
	HostSetupYes                 // all, with the virtual addresses
	HostSetupNoAddress           // all but the virtual addresses
)

// On reports whether anything is set up.
func (h HostSetup) On() bool { return h != HostSetupNo }

// checkHostSetup finds two directives that give this host the virtual addresses.
func checkHostSetup(p *parser) {
	if p.config.HostSetup != HostSetupYes || p.config.VIPDevice == "" {
		return
	}
	at := p.lines["hostsetup"]
	p.report(&Problem{
		Path: at.path, Line: at.line, Code: CodeInvalidValue,
		Text: "hostsetup = yes cannot be combined with vipdevice = " + p.config.VIPDevice + ": both add the virtual addresses, on two devices",
		Hint: "hostsetup = noaddress sets up everything but the addresses",
	})
}
