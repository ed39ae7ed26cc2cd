package conf

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A Directive is what users read of one row of the table of directives.
type Directive struct {
	Name    string
	Value   string // the form of the value: "yes|no"
	Help    string // one line of text, without a full stop
	Default string // what counts where the directive is not written, "" is nothing
	Or      string // the directive that counts where only that one is written, "" is none
	Outside bool   // allowed outside blocks, for all of them
	InBlock bool   // allowed in the block of a virtual service
	Gone    bool   // an error that names its replacement, as in the original
}

// Directives returns all directives but virtual and virtual6, which begin a block, sorted
// by name.
func Directives() []Directive {
	list := make([]Directive, len(directives))
	for i := range directives {
		d := &directives[i]
		list[i] = Directive{
			Name: d.name, Value: d.value, Help: d.help, Default: d.initial, Or: d.or,
			Outside: d.where&outside != 0, InBlock: d.where&inBlock != 0,
			Gone: strings.HasPrefix(d.help, "gone"),
		}
		if d.form == quoted {
			list[i].Value = `"` + d.value + `"`
		}
	}
	return list
}

// A CheckTypeWord is one word of the checktype directive.
type CheckTypeWord struct {
	Word string
	Help string // when a real server is up
	is   CheckType
}

// checkTypes are the words of checktype, besides a number.
var checkTypes = []CheckTypeWord{
	{"negotiate", "the service answers as it should", CheckNegotiate},
	{"connect", "a TCP connection is made; a udp service is pinged", CheckConnect},
	{"ping", "an ICMP echo is answered", CheckPing},
	{"agent", "the agent at checkport says so; it sets a share of the weight, too", CheckAgent},
	{"external", "the program of checkcommand ends with exit status 0", CheckExternal},
	{"external-perl", "the same of a Perl program", CheckExternalPerl},
	{"on", "always: there is no check", CheckOn},
	{"off", "never: there is no check", CheckOff},
}

// CheckTypes returns the words of checktype in the order in which a user looks for one.
func CheckTypes() []CheckTypeWord {
	number := CheckTypeWord{Word: "N", Help: "one check as negotiate, then N as connect, and so on", is: CheckCombined}
	return append(checkTypes[:len(checkTypes):len(checkTypes)], number)
}

// checkTypeNamed returns the check type of a word, false if there is none.
func checkTypeNamed(word string) (t CheckType, ok bool) {
	for _, row := range checkTypes {
		if row.Word == word {
			return row.is, true
		}
	}
	return 0, false
}

// unset sets what counts without the directive, in words.
func (b binding) unset(words string) binding {
	b.initial = words
	return b
}

// shown is the default in the notation of the file, "" if there is none.
func (k kind[T]) shown() string {
	var initial T
	if k.initial != nil {
		initial = *k.initial
	}
	if k.show != nil {
		return k.show(initial)
	}
	switch v := any(initial).(type) {
	case bool:
		if v {
			return "yes"
		}
		return "no"
	case time.Duration:
		return shownDuration(v)
	case int:
		return strconv.Itoa(v)
	case uint32, int64:
		return fmt.Sprint(v)
	case Portion:
		return strconv.Itoa(cmp.Or(v.Count, v.Percent))
	case FlapDamping:
		return v.String()
	case string:
		return v
	case CheckType:
		return v.String()
	}
	return ""
}

// shownDuration is a duration as the file has it: "500ms", "10s", "90s", "1h", "0".
func shownDuration(d time.Duration) string {
	if d == 0 {
		return "0"
	}
	for _, unit := range []struct {
		length time.Duration
		name   string
	}{{time.Hour, "h"}, {time.Minute, "m"}, {time.Second, "s"}, {time.Millisecond, "ms"}} {
		if d%unit.length == 0 {
			return fmt.Sprintf("%d%s", d/unit.length, unit.name)
		}
	}
	return d.String()
}
