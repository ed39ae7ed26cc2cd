package importer

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// quorum makes the directives of quorum, hysteresis, quorum_up and quorum_down.
func (k *virtualReader) quorum() {
	s := k.part.service
	lines := k.quorumLines()
	command := k.quorumCommand(len(lines) > 0)
	if command != "" && len(lines) == 0 {
		lines = []string{"quorum = 1"} // keepalived's default, of which the command hears
	}
	s.policy = append(s.policy, lines...)
	if command != "" {
		s.policy = append(s.policy, "quorumcommand = "+command)
	}
	switch omega := k.node.Child("omega"); {
	case omega == nil:
	case command != "":
		s.policy = append(s.policy, "stopcommands = yes")
	case k.node.Child("quorum_down") != nil:
		k.add(lost(omega.Line, "omega is not carried over: %s", instead["omega"]))
	}
}

// quorumLines converts weights to numbers of real servers, where each set of real servers that is
// enough has at least so many, and each other set has fewer.
func (k *virtualReader) quorumLines() []string {
	quorum, hysteresis := k.number("quorum", 1, 1), k.number("hysteresis", 0, 0)
	var weights []int
	total := 0
	for _, r := range k.part.service.reals {
		if w, err := strconv.Atoi(r.weight); err == nil && !r.left {
			weights = append(weights, w)
			total += w
		}
	}
	quorum = max(1, min(quorum, total)) // as keepalived does
	hysteresis = min(hysteresis, quorum-1)
	at := cmpNode(k.node.Last("quorum"), k.node.Last("hysteresis"), k.node)
	if quorum == 1 || len(weights) == 0 {
		return nil
	}
	below, ok := countOf(weights, quorum-hysteresis)
	again, ok2 := countOf(weights, min(quorum+hysteresis, total))
	if !ok || !ok2 {
		k.add(lost(at.Line, "quorum %d of weights is not carried over: the weights of the real servers differ, and quorum here counts real servers", quorum))
		return nil
	}
	if k.dynamic {
		k.add(lost(at.Line, "quorum %d counts weights that checks change; here it counts real servers, whatever their weights", quorum))
	}
	lines := []string{"quorum = " + strconv.Itoa(below)}
	if again > below {
		lines = append(lines, "hysteresis = "+strconv.Itoa(again-below))
		k.add(chosen(at.Line, "quorum %d, hysteresis %d: lost with fewer than %d up, met again with %d; at a start %d is enough",
			quorum, hysteresis, below, again, below))
	}
	if below == 1 && again == 1 {
		return nil
	}
	return lines
}

// cmpNode returns the first node that there is.
func cmpNode(nodes ...*node) *node {
	i := slices.IndexFunc(nodes, func(n *node) bool { return n != nil })
	return nodes[i]
}

// number is the value of a keyword of the virtual server, which is at least least, or otherwise if it has none.
func (k *virtualReader) number(name string, least, otherwise int) int {
	n := k.node.Last(name)
	if n == nil {
		return otherwise
	}
	value, err := strconv.Atoi(n.Word(0))
	if err != nil || value < least || value > math.MaxUint32 {
		k.add(lost(n.Line, "%s: that is no number from %d on", n, least))
		return otherwise
	}
	return value
}

// countOf returns how many real servers have the weight together. ok is false if that depends on
// which ones they are.
func countOf(weights []int, weight int) (n int, ok bool) {
	sorted := slices.Sorted(slices.Values(weights))
	least := 0
	for _, w := range sorted {
		if least >= weight {
			break
		}
		least += w
		n++
	}
	most := 0
	for _, w := range sorted[len(sorted)-max(0, n-1):] {
		most += w
	}
	return n, least >= weight && most < weight
}

// quorumCommand is the command for both quorum_up and quorum_down, "" if there is none. Ours is
// called with up or down, the virtual service and its protocol as its last words. has is whether
// the virtual service has a quorum, without which no command is run.
func (k *virtualReader) quorumCommand(has bool) string {
	up, down := k.node.Child("quorum_up"), k.node.Child("quorum_down")
	if up == nil && down == nil {
		return ""
	}
	at := cmpNode(up, down)
	words := func(n *node) []string {
		if n == nil {
			return nil
		}
		if n.Word(1) != "" {
			k.add(lost(n.Line, "%s is run as %s there; see checkuser, which is for all commands", n.Name(), strings.Join(n.Words[2:], ":")))
		}
		return commandWords(n)
	}
	ups, downs := words(up), words(down)
	if n := len(ups); n > 1 && n == len(downs) && slices.Equal(ups[:n-1], downs[:n-1]) && ups[n-1] == "up" && downs[n-1] == "down" {
		if line, ok := shellLine(ups[:n-1]); ok {
			k.add(chosen(at.Line, "quorumcommand adds the virtual service and its protocol behind up and down"))
			return line
		}
	}
	for _, n := range []*node{up, down} {
		if n != nil {
			k.add(notCarried(n))
		}
	}
	if line, ok := eitherCommand(ups, downs); ok {
		quorum := ""
		if !has {
			quorum = "quorum = 1, and "
		}
		k.add(lost(at.Line, "both as one: %squorumcommand = %s", quorum, line))
	}
	return ""
}

// eitherCommand is one quorumcommand for two commands. The shell puts up or down into $0.
func eitherCommand(ups, downs []string) (string, bool) {
	up, ok := shellLine(ups)
	down, ok2 := shellLine(downs)
	if !ok || !ok2 || strings.ContainsAny(up+down, `'"`) {
		return "", false
	}
	branch := func(name, command string) string {
		if command == "" {
			return ""
		}
		return " " + name + ") exec " + command + " ;;"
	}
	return "sh -c 'case $0 in" + branch("up", up) + branch("down", down) + " esac'", true
}
