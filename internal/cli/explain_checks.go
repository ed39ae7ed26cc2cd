package cli

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/policy"
)

// explainMore writes the checks of v besides its own.
func explainMore(line func(name, format string, args ...any), v *conf.VirtualService) {
	for i, n := range v.AlsoCheck {
		line("and check", "%s: %s, down after %s%s", alsoLabel(v, i), checkWords(withReals(n.As, v.Reals)), plural(max(1, n.As.FailureCount), "failed check"), slowWords(n.As))
	}
	for _, n := range v.InPlace {
		var reals []*conf.RealServer
		for _, r := range v.Reals {
			if r.Check == n.CheckUse {
				reals = append(reals, r)
			}
		}
		line("in its place", "%s, of %s: %s, down after %s%s", ownLabel(v, n.Name), plural(len(reals), "real server"), checkWords(withReals(n.As, reals)), plural(max(1, n.As.FailureCount), "failed check"), slowWords(n.As))
	}
	if a := v.Agent(); a != nil {
		line("and agent", "at port %d, every %s, timeout %s: its words count beside the checks, and none while it does not answer", a.CheckPort, a.CheckInterval, a.CheckTimeout)
	}
	if checks := 1 + len(v.AlsoCheck); checks > 1 && v.CheckType != conf.CheckOff {
		line("needed", "%d of the %d checks of a real server", policy.Needed(v.ChecksNeeded, checks), checks)
	}
}

// alsoLabel is how reports call a check of all real servers, see virtual.Part.Label: with its number of
// several uses of one block. A real server with such a check of its own has that one first.
func alsoLabel(v *conf.VirtualService, i int) string {
	name := v.AlsoCheck[i].Name
	number, uses := 0, 0
	for j, n := range v.AlsoCheck {
		if n.Name == name {
			uses++
			if j <= i {
				number++
			}
		}
	}
	label := name
	if uses > 1 {
		label = fmt.Sprintf("%s#%d", name, number)
	}
	if slices.ContainsFunc(v.InPlace, func(n conf.NamedCheck) bool { return n.Name == name }) {
		label += fmt.Sprintf(" (%s#%d where %s is in the real line)", name, number+1, name)
	}
	return label
}

// ownLabel is how reports call the check in a real line.
func ownLabel(v *conf.VirtualService, name string) string {
	if slices.ContainsFunc(v.AlsoCheck, func(n conf.NamedCheck) bool { return n.Name == name }) {
		return name + "#1"
	}
	return name
}

// withReals returns the settings of a check with the real servers that have it.
func withReals(as *conf.VirtualService, reals []*conf.RealServer) *conf.VirtualService {
	with := *as
	with.Reals = reals
	return &with
}

// severalDownWords are the bounds of real servers with several checks, or with different ones.
func severalDownWords(v *conf.VirtualService, refused, silent time.Duration) string {
	checks := 1 + len(v.AlsoCheck)
	words := "when 1 check is down"
	if n := checks - policy.Needed(v.ChecksNeeded, checks) + 1; n > 1 {
		words = fmt.Sprintf("when %d checks are down", n)
		if n == checks && v.CheckType == conf.CheckOn && len(v.InPlace) == 0 {
			return "never: its own check is always up, and 1 is needed"
		}
	}
	return fmt.Sprintf("%s: within %s if it refuses all, %s if it is silent to all", words, refused, silent)
}

// severalGoodWords are when each check is up again.
func severalGoodWords(v *conf.VirtualService) string {
	var list []string
	if v.CheckType != conf.CheckOn && v.CheckType != conf.CheckOff {
		list = append(list, "its own "+goodWords(v))
	}
	for i, n := range v.AlsoCheck {
		list = append(list, alsoLabel(v, i)+" "+goodWords(n.As))
	}
	for _, n := range v.InPlace {
		list = append(list, ownLabel(v, n.Name)+" "+goodWords(n.As))
	}
	return strings.Join(list, "; ")
}

// goodWords are when a check that was down is up again.
func goodWords(v *conf.VirtualService) string {
	count := max(1, v.RiseCount)
	within := cmp.Or(v.DownInterval, v.CheckInterval) + policy.Times(count-1, cmp.Or(v.FastInterval, v.CheckInterval))
	return fmt.Sprintf("after %s: within %s", plural(count, "good check"), within)
}

// selfDrainWords are the answers by which a real server drains itself, "" if there are none.
func selfDrainWords(v *conf.VirtualService) string {
	var list []string
	if v.CheckType == conf.CheckAgent || v.Agent() != nil {
		list = append(list, "its agent says drain or 0%")
	}
	list = append(list, drainWords(v)...)
	in := func(name string, as *conf.VirtualService) {
		for _, words := range drainWords(as) {
			list = append(list, "in check "+name+" "+words)
		}
	}
	for i, n := range v.AlsoCheck {
		in(alsoLabel(v, i), n.As)
	}
	for _, n := range v.InPlace {
		in(ownLabel(v, n.Name), n.As)
	}
	if len(list) == 0 {
		return ""
	}
	return "weight 0 while " + strings.Join(list, ", or ")
}

// drainWords are the answers to v's own check by which a real server drains itself, but those of an agent.
func drainWords(v *conf.VirtualService) []string {
	if !v.Drains() || v.CheckType == conf.CheckAgent {
		return nil
	}
	if v.CheckType == conf.CheckExternal || v.CheckType == conf.CheckExternalPerl {
		return []string{"its command ends with exit status 2"}
	}
	var words []string
	if ranges := v.HTTPDrain.Ranges(); len(ranges) > 0 && conf.Reads(v.Service, "httpdrain") {
		words = append(words, "has the status "+v.HTTPDrain.String())
	}
	if v.ReceiveDrain != "" && conf.Reads(v.Service, "receivedrain") {
		words = append(words, fmt.Sprintf("matches /%s/", v.ReceiveDrain))
	}
	return []string{"its answer " + strings.Join(words, " or ")}
}

// slowWords are what slowlimit makes of a slow answer to v's own check, "" without it.
func slowWords(v *conf.VirtualService) string {
	if v.SlowLimit == 0 || v.CheckType == conf.CheckOn || v.CheckType == conf.CheckOff {
		return ""
	}
	return fmt.Sprintf("; an answer after more than %s is a failure", v.SlowLimit)
}

// withAgent adds to when the checks change a verdict when the agent beside them does. Where nothing else is
// asked, it alone does.
func withAgent(v *conf.VirtualService, checks, and, agent string) string {
	a := v.Agent()
	if a == nil {
		return checks
	}
	agent += ": within " + a.CheckInterval.String()
	if v.CheckType == conf.CheckOn && len(v.AlsoCheck) == 0 && len(v.InPlace) == 0 {
		return agent
	}
	return checks + "; " + and + " " + agent
}
