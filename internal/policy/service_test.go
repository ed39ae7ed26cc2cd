package policy

import (
	"strings"
	"testing"
)

// members are servers by letters: u is up, d is down, m in maintenance, o drained by an order, a is
// drained by its agent, ? is unchecked. Those behind | are backup servers.
func members(t *testing.T, text string) (list []Member) {
	t.Helper()
	backup := false
	for _, letter := range text {
		m := Member{Server: Server{Weight: 1, Agent: 100, Reached: 100, Verdict: Up}, Backup: backup}
		switch letter {
		case '|':
			backup = true
			continue
		case 'u':
		case 'd':
			m.Verdict = Down
		case 'm':
			m.Maintenance = true
		case 'o':
			m.Order = Drained
		case 'a':
			m.Agent = 0
		case '?':
			m.Verdict, m.Awaited = Unchecked, true
		default:
			t.Fatalf("letter %c", letter)
		}
		list = append(list, m)
	}
	return list
}

// ruled is who is in service by a ruling, with + for the fallback.
func ruled(g Ruling, rule Rule, members []Member) string {
	servers, fallback := g.Entries(rule, members)
	var b strings.Builder
	for _, d := range servers {
		b.WriteString(map[bool]string{false: ".", true: "x"}[d.In])
	}
	if fallback {
		b.WriteString("+")
	}
	return b.String()
}

// TestJudge goes through states of one virtual service, one after the other.
func TestJudge(t *testing.T) {
	for name, tt := range map[string]struct {
		rule   Rule
		states string // members=wanted
	}{
		"alone":                      {Rule{Reals: 3, Fallback: true}, "uud=xx. udd=x.. ddd=...+"},
		"quorum":                     {Rule{Reals: 3, Quorum: 2, Fallback: true}, "uuu=xxx uud=xx. udd=...+ ddd=...+ udd=...+ uud=xx."},
		"hysteresis":                 {Rule{Reals: 4, Quorum: 2, Hysteresis: 1, Fallback: true}, "uudd=xx.. uddd=....+ uudd=....+ uuud=xxx. uudd=xx.."},
		"hysteresis of all":          {Rule{Reals: 2, Quorum: 2, Hysteresis: 5, Fallback: true}, "uu=xx ud=..+ uu=xx"},
		"a quorum of more":           {Rule{Reals: 2, Quorum: 9, Fallback: true}, "uu=xx ud=..+ uu=xx"},
		"at a start":                 {Rule{Reals: 4, Quorum: 2, Hysteresis: 1, Fallback: true}, "????=....+ u???=....+ ud??=....+ udu?=x.x."},
		"at a start without":         {Rule{Reals: 3, Quorum: 2, Hysteresis: 1, Fallback: true}, "u??=...+ udd=...+ uud=...+ uuu=xxx"},
		"without a fallback":         {Rule{Reals: 3, Quorum: 2}, "uuu=xxx udd=x.. ddd=... udd=x.."},
		"the rest stays":             {Rule{Reals: 3, Quorum: 2, KeepRest: true, Fallback: true}, "uuu=xxx udd=x..+ ddd=...+ uud=xx."},
		"orders count as down":       {Rule{Reals: 3, Quorum: 2, Fallback: true}, "uom=...+ uoa=...+ uud=xx."},
		"backup":                     {Rule{Reals: 2, BackupBelow: 1, Fallback: true}, "uu|uu=xx.. ud|uu=x... dd|uu=..xx dd|du=...x dd|dd=....+ ud|uu=x..."},
		"backupbelow":                {Rule{Reals: 2, BackupBelow: 2, Fallback: true}, "uu|u=xx. ud|u=x.x dd|u=..x uu|u=xx."},
		"backup at a start":          {Rule{Reals: 2, BackupBelow: 1, Fallback: true}, "??|u=...+ d?|u=...+ dd|u=..x"},
		"backup and quorum":          {Rule{Reals: 3, Quorum: 2, BackupBelow: 2, Fallback: true}, "uud|u=xx.. udd|u=x..x udd|d=....+ ddd|u=....+ udd|u=x..x"},
		"backup that does not count": {Rule{Reals: 3, Quorum: 2, BackupBelow: 1, Fallback: true}, "udd|uu=.....+ ddd|uu=...xx"},
		"backup for the drained":     {Rule{Reals: 2, BackupBelow: 1}, "ua|u=x.. aa|u=..x mo|u=..x"},
	} {
		t.Run(name, func(t *testing.T) {
			var s Standing
			for state := range strings.FieldsSeq(tt.states) {
				text, want, _ := strings.Cut(state, "=")
				list := members(t, text)
				g := Judge(tt.rule, s, list)
				if got := ruled(g, tt.rule, list); got != want {
					t.Errorf("%s: %s, want %s", text, got, want)
				}
				s = g.Standing
				if again := Judge(tt.rule, s, list); ruled(again, tt.rule, list) != want || again.Standing != s {
					t.Errorf("%s: judged again %s, %+v", text, ruled(again, tt.rule, list), again.Standing)
				}
			}
		})
	}
}

// While first checks decide, what the table has in service stays, and nothing comes in.
func TestJudgeAsFound(t *testing.T) {
	rule := Rule{Reals: 3, Quorum: 2, Fallback: true, BackupBelow: 1}
	list := members(t, "u??|u")
	list[0].Held, list[0].Before = true, 1
	if got := ruled(Judge(rule, Standing{}, list), rule, list); got != "x..." {
		t.Errorf("as found %s, want x...", got)
	}
	list[0].Verdict = Down
	if got := ruled(Judge(rule, Standing{}, list), rule, list); got != "....+" {
		t.Errorf("after its check has failed %s, want ....+", got)
	}
}

// With a quorum minalive keeps none without it; backup servers in service make up for others.
func TestJudgeKeeps(t *testing.T) {
	for name, tt := range map[string]struct {
		rule          Rule
		members, want string
	}{
		"met":         {Rule{Reals: 3, MinAlive: 3, Quorum: 1, Fallback: true}, "udd", "xxx"},
		"lost":        {Rule{Reals: 3, MinAlive: 3, Quorum: 2, Fallback: true}, "udd", "...+"},
		"no fallback": {Rule{Reals: 3, MinAlive: 3, Quorum: 2}, "udd", "x.."},
		"backup":      {Rule{Reals: 2, MinAlive: 1, BackupBelow: 1}, "dd|u", "..x"},
		"down backup": {Rule{Reals: 2, MinAlive: 1, BackupBelow: 1}, "dd|d", "x.."},
	} {
		list := members(t, tt.members)
		for i := range list {
			list[i].Serves = true
		}
		if got := ruled(Judge(tt.rule, Standing{}, list), tt.rule, list); got != tt.want {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
	}
}
