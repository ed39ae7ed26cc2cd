package cli

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/policy"
)

// explanation describes the effect of a configuration, for a comparison with the intent.
func explanation(cfg *conf.Config) string {
	var b strings.Builder
	fmt.Fprintf(&b, "log: %s; who is gone and back: %s\n", cfg.LogFile, cmp.Or(cfg.MonitorLog, "nowhere"))
	if cfg.AutoReload {
		b.WriteString("a changed file is read again by itself\n")
	}
	if !cfg.CheckUser.IsZero() && cfg.RunsAs() {
		fmt.Fprintf(&b, "external checks, notifycommand, fallbackcommand and quorumcommand run as the user %s\n", cfg.CheckUser)
	}
	if cfg.Resolve > 0 {
		fmt.Fprintf(&b, "the names of real servers are looked up again each %v\n", cfg.Resolve)
	}
	if cfg.MaintenanceDir != "" {
		fmt.Fprintf(&b, "a file in %s named after a real server takes it out\n", cfg.MaintenanceDir)
	}
	for _, file := range cfg.Execute {
		fmt.Fprintf(&b, "beside it runs: ldirectord %s\n", file)
	}
	b.WriteString("\n")
	for _, v := range cfg.Virtuals {
		explain(&b, cfg.Path, v)
	}
	return b.String()
}

// explain writes the part of one virtual service of the configuration at path.
func explain(b *strings.Builder, path string, v *conf.VirtualService) {
	fmt.Fprintf(b, "virtual service %s %s%s, %s\n", v.Protocol, v, asWritten(v.Name, v.String()), conf.LineIn(path, v.File, v.Line))
	line := func(name, format string, args ...any) {
		fmt.Fprintf(b, "    %-15s "+format+"\n", append([]any{name}, args...)...)
	}
	line("kernel", "%s", kernelWords(v))
	for i, r := range v.Reals {
		name := ""
		if i == 0 {
			name = "real servers"
		}
		line(name, "%s", realWords(v, r))
	}
	if len(v.Reals) == 0 {
		line("real servers", "none")
	}
	if v.ResolveAll {
		line("names", "each address of a name is a real server, %d at most", v.ResolveMax)
	}
	own := checkWords(v)
	if len(v.AlsoCheck) > 0 || len(v.InPlace) > 0 { // else it is in the row "down"
		own += slowWords(v)
	}
	line("check", "%s", own)
	explainMore(line, v)
	if checks(v) {
		line("at start", "%s", startWords(v))
		line("down", "%s; then %s", withAgent(v, downWords(v), "or", "when its agent says down"), outWords(v))
		line("back", "%s", backWords(v))
	}
	if words := selfDrainWords(v); words != "" {
		line("drains itself", "%s", words)
	}
	line("all gone", "%s", fallbackWords(v))
	if words := jointWords(v); words != "" {
		line("together", "%s", words)
	}
	if checks(v) && len(v.Reals) > 0 {
		for i, row := range outlookLines(v) {
			name := ""
			if i == 0 {
				name = "policy"
			}
			line(name, "%s", row)
		}
	}
	line("at stop", "%s", stopWords(v))
	if v.EmailAlert != "" {
		line("mail", "%s", mailWords(v))
	}
	b.WriteString("\n")
}

// asWritten is the text of the file in parentheses, "" if it is the same as shown.
func asWritten(written, shown string) string {
	if written == "" || written == shown {
		return ""
	}
	return " (" + written + ")"
}

func kernelWords(v *conf.VirtualService) string {
	words := "scheduler " + v.Scheduler
	if v.SchedFlags != "" {
		words += " with " + v.SchedFlags
	}
	if v.Persist {
		words += fmt.Sprintf(", persistent for %d s", v.Persistent)
		if v.Netmask != "" {
			words += " by netmask " + v.Netmask
		}
	}
	if v.OPS {
		words += ", one packet at a time"
	}
	return words
}

func realWords(v *conf.VirtualService, r *conf.RealServer) string {
	port := r.Port
	if port == 0 && r.Forward != conf.Masq { // as the table has it; a masq real server gets the port 0
		port = v.Port
	}
	words := fmt.Sprintf("%s %s, weight %d", netip.AddrPortFrom(r.Addr, port), r.Forward, r.Weight)
	if r.Upper != 0 || r.Lower != 0 {
		words += fmt.Sprintf(", connections from %d to %d", r.Lower, r.Upper)
	}
	if r.Backup {
		words += ", backup"
	}
	if r.Host != "" && r.Host != r.Addr.String() && r.Host != "["+r.Addr.String()+"]" {
		words += " (" + r.Host + ")"
	}
	if r.Check.Name != "" {
		words += ", check " + ownLabel(v, r.Check.Name)
	}
	if r.OwnRequest {
		words += ", asked" + sentWords(v, cmp.Or(r.RequestURL(), r.Request))
		if r.Receive != "" {
			words += fmt.Sprintf(" for %q", r.Receive)
		}
	}
	return words
}

// checks reports whether a virtual service has checks.
func checks(v *conf.VirtualService) bool {
	return v.CheckType != conf.CheckOn && v.CheckType != conf.CheckOff || slices.ContainsFunc(v.Reals, v.Several)
}

func checkWords(v *conf.VirtualService) string {
	switch v.CheckType {
	case conf.CheckOn:
		return "none: all are taken for up"
	case conf.CheckOff:
		return "none: all are taken for down"
	}
	words := questionWords(v) + targetWords(v) + ", every " + v.CheckInterval.String() + ", timeout " + policy.Timeout(v).String()
	if n := policy.Attempts(v); n > 1 {
		words += fmt.Sprintf(", %d attempts", n)
	}
	return words
}

// targetWords are the address that checks use in place of each real server's, and the
// origin of the checks, "" where nothing is set.
func targetWords(v *conf.VirtualService) string {
	if v.CheckType == conf.CheckExternal || v.CheckType == conf.CheckExternalPerl {
		return ""
	}
	words := ""
	if v.CheckAddr.IsValid() {
		words += " of " + v.CheckAddr.String() + " (checkaddress)"
	}
	if v.CheckSource.IsValid() && !v.ForeignSource() {
		words += ", from " + v.CheckSource.String()
	}
	if v.CheckDevice != "" {
		words += ", by " + v.CheckDevice
	}
	if v.CheckMark != 0 {
		words += fmt.Sprintf(", with mark %d", v.CheckMark)
	}
	return words
}

// questionWords describe the check of each real server.
func questionWords(v *conf.VirtualService) string {
	port := portWords(v)
	switch v.CheckType {
	case conf.CheckConnect:
		if v.Protocol == conf.UDP {
			return "ping"
		}
		return "connect to " + port
	case conf.CheckPing:
		return "ping"
	case conf.CheckExternal:
		return "run " + v.CheckCommand.String() + weightWords(v)
	case conf.CheckExternalPerl:
		return "run perl " + v.CheckCommand.String() + weightWords(v)
	case conf.CheckAgent:
		return "ask the agent at " + port
	}
	words := negotiateWords(v, port)
	if v.CheckType == conf.CheckCombined {
		words += fmt.Sprintf(", then %s", plural(v.Combined, "connect"))
	}
	return words
}

// weightWords are what an exit status means for the weight.
func weightWords(v *conf.VirtualService) string {
	if v.ExternalWeight {
		return ", whose exit status N from 2 on is weight N-2"
	}
	return ""
}

// portWords are the port of the checks, if all real servers have the same.
func portWords(v *conf.VirtualService) string {
	ports := map[uint16]bool{}
	for _, r := range v.Reals {
		ports[v.PortToCheck(r)] = true
	}
	if len(ports) != 1 {
		return "its own port"
	}
	return fmt.Sprintf("port %d", v.PortToCheck(v.Reals[0]))
}

func negotiateWords(v *conf.VirtualService, port string) string {
	if v.Service == "none" {
		return "nothing (service=none)"
	}
	words := v.Service + " at " + port
	if strings.HasPrefix(v.Service, "http") {
		words += ", " + v.HTTPMethod
	}
	words += sentWords(v, v.Request) + dialogueWords(v)
	if v.VirtualHost != "" {
		words += " of " + v.VirtualHost
	}
	if v.Receive != "" && conf.Reads(v.Service, "receive") {
		words += fmt.Sprintf(", the answer matches /%s/", v.Receive)
	}
	if v.ReceiveNot != "" && conf.Reads(v.Service, "receivenot") {
		words += fmt.Sprintf(", the answer does not match /%s/", v.ReceiveNot)
	}
	return words
}

// downWords are the longest time for which a failed real server receives traffic.
func downWords(v *conf.VirtualService) string {
	refused, silent := policy.DownBounds(v)
	if len(v.AlsoCheck) > 0 || len(v.InPlace) > 0 {
		return severalDownWords(v, refused, silent)
	}
	return fmt.Sprintf("after %s: within %s if it refuses, %s if it is silent", plural(max(1, v.FailureCount), "failed check"), refused, silent) + slowWords(v)
}

// startWords are the time at which the first checks are reported.
func startWords(v *conf.VirtualService) string {
	return fmt.Sprintf("one line when each real server has been checked, after %s at the latest", policy.FirstBound(v))
}

func outWords(v *conf.VirtualService) string {
	if v.QuiescentTime > 0 {
		return fmt.Sprintf("weight 0 for %s (quiescenttime), then removed", v.QuiescentTime)
	}
	if v.Quiescent {
		return "weight 0 (quiescent)"
	}
	return "removed"
}

func backWords(v *conf.VirtualService) string {
	words := goodWords(v)
	if len(v.AlsoCheck) > 0 || len(v.InPlace) > 0 {
		words = "when as many checks are up as it needs: " + severalGoodWords(v)
	}
	words = withAgent(v, words, "and", "when its agent says down no longer")
	if f := v.FlapDamping; f.On() {
		words += fmt.Sprintf("; having gone down %d times within %s it waits %s, and up to %s when that happens again", f.Count, f.Within, f.Within, policy.LongestDamping(f))
	}
	if v.ByHand {
		words += "; one that was in service waits for an operator's enable (return = byhand)"
	}
	if v.SlowStart > 0 {
		words += fmt.Sprintf(", its weight then climbs for %s", v.SlowStart)
	}
	return words
}

func fallbackWords(v *conf.VirtualService) string {
	var words []string
	if f := v.Fallback; f != nil {
		words = append(words, fmt.Sprintf("fallback %s %s", netip.AddrPortFrom(f.Addr, cmp.Or(f.Port, v.Port)), f.Forward))
	}
	if v.FallbackCommand != "" {
		words = append(words, "run "+v.FallbackCommand.String())
	}
	if len(words) == 0 {
		words = append(words, "no fallback")
	}
	if v.ByHand {
		words = append(words, "until an operator's enable")
	}
	return strings.Join(words, ", ")
}

func stopWords(v *conf.VirtualService) string {
	switch {
	case !v.CleanStop:
		return "left in the kernel (cleanstop=no)"
	case !v.StopCommands:
		return "removed from the kernel"
	}
	text := "removed from the kernel"
	if v.FallbackCommand != "" {
		text += "; fallbackcommand is run with stop if the fallback is in charge"
	}
	if v.QuorumCommand != "" && v.Quorum != (conf.Portion{}) {
		text += "; quorumcommand is run with down if the quorum is met"
	}
	return text
}

func mailWords(v *conf.VirtualService) string {
	by := "the local mailer"
	if v.SMTP != "" {
		by = v.SMTP
	}
	words := fmt.Sprintf("to %s by %s", v.EmailAlert, by)
	if v.EmailAlertFreq > 0 {
		words += ", again every " + v.EmailAlertFreq.String()
	}
	if v.EmailAlertStatus == 0 {
		words += ", but never (emailalertstatus=none)"
	}
	return words
}
