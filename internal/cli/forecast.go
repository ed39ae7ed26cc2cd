package cli

import (
	"fmt"
	"strings"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/policy"
)

// mostOutlooks is up to how many real servers each number of dead ones has a row of its own.
const mostOutlooks = 10

// outlookLines are a table of who is in service when none, one, and so on to all servers are dead.
// With many servers, numbers with the same outcome share a row.
func outlookLines(v *conf.VirtualService) []string {
	list := policy.Forecast(v)
	lines := []string{fmt.Sprintf("%-10s in service", "dead")}
	for i := 0; i < len(list); i++ {
		first, last := list[i], list[i]
		for len(v.Reals) > mostOutlooks && i+1 < len(list) && last.Like(list[i+1]) {
			i++
			last = list[i]
		}
		lines = append(lines, fmt.Sprintf("%-10s %s", deadWords(first, last), outlookWords(first, last)+expireWords(v, first, last)))
	}
	return lines
}

// deadWords are how many servers are dead from one outlook to another.
func deadWords(first, last policy.Outlook) string {
	words := span(first.Dead, last.Dead)
	if first.DeadBackups > 0 {
		words += "+" + fmt.Sprint(first.DeadBackups)
	}
	return words
}

// countOf are so many real servers, in words.
func countOf(a, b int) string {
	if a == b {
		return plural(a, "real server")
	}
	return span(a, b) + " real servers"
}

// span is a number, or the numbers from one to another.
func span(a, b int) string {
	if a == b {
		return fmt.Sprint(a)
	}
	return fmt.Sprintf("%d-%d", a, b)
}

// outlookWords are who is in service.
func outlookWords(first, last policy.Outlook) string {
	var parts []string
	if last.In > 0 {
		words := countOf(first.In, last.In)
		if last.Kept > 0 {
			words += fmt.Sprintf(", %d of them dead and kept (minalive)", last.Kept)
		}
		parts = append(parts, words)
	}
	if last.Backups > 0 {
		parts = append(parts, plural(last.Backups, "backup server"))
	}
	if last.Fallback {
		parts = append(parts, "the fallback")
	}
	words := strings.Join(parts, ", and ")
	if words == "" {
		words = "none"
	}
	if first.Leave > 0 {
		words += fmt.Sprintf(" (%s up and out of service: below the quorum)", span(first.Leave, last.Leave))
	}
	return words
}

// expireWords are how many of the dead ones have weight 0 for quiescenttime, "" for none.
func expireWords(v *conf.VirtualService, first, last policy.Outlook) string {
	if last.Expire == 0 {
		return ""
	}
	return fmt.Sprintf("; %s with weight 0 for %s, then removed", span(first.Expire, last.Expire), v.QuiescentTime)
}

// jointWords are what decides about the servers together, "" if each is by itself.
func jointWords(v *conf.VirtualService) string {
	rule := policy.RuleOf(v)
	var parts []string
	if rule.BackupBelow > 0 {
		parts = append(parts, fmt.Sprintf("backup servers are in service while fewer than %s up", areUp(rule.BackupBelow)))
	}
	if rule.Quorum > 0 {
		words := fmt.Sprintf("the quorum is %d of %d", rule.Quorum, rule.Reals)
		if again := rule.Needed(policy.Standing{Quorum: policy.QuorumLost}); again > rule.Quorum {
			words += fmt.Sprintf(", after a loss %d", again)
		}
		parts = append(parts, words)
		if v.QuorumCommand != "" {
			parts = append(parts, "run "+v.QuorumCommand.String())
		}
	}
	return strings.Join(parts, "; ")
}

func areUp(n int) string {
	if n == 1 {
		return "1 real server is"
	}
	return fmt.Sprintf("%d real servers are", n)
}
