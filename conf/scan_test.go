package conf

import (
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestBlanks is about files in which blanks, tabs and line ends matter, too easily
// lost in a text case.
func TestBlanks(t *testing.T) {
	const web = "virtual=10.0.0.1:80\n    real=10.1.0.1:80 masq\n"
	const plain = "tcp:10.0.0.1:80 http wrr, 1 real"
	tests := []struct {
		name, text string
		want       string // the virtual services, or the line and the text of the mistake
	}{
		{"four blanks", web + "    scheduler=rr\n", "tcp:10.0.0.1:80 http rr, 1 real"},
		{"a tab", web + "\tscheduler=rr\n", "tcp:10.0.0.1:80 http rr, 1 real"},
		{"two blanks and a tab", web + "  \tscheduler=rr\n", "tcp:10.0.0.1:80 http rr, 1 real"},
		{"three blanks", web + "   scheduler=rr\n", "3: Unknown command    scheduler=rr"},
		{"form feed after four blanks", web + "    \fscheduler=rr\n", "3: Unknown command \"    \fscheduler=rr\""},
		{"empty line ends", web + "\n    scheduler=rr\n", "4: Unknown command     scheduler=rr"},
		{"four blanks end", web + "    \n    scheduler=rr\n", "4: Unknown command     scheduler=rr"},
		{"a tab ends", web + "\t\nquiescent=yes\n", plain},
		{"five blanks do not", web + "     \n    scheduler=rr\n", `3: Unknown command "     "`},
		{"two tabs do not", web + "\t\t\n", "3: Unknown command \"\t\t\""},
		{"comment at any indentation", web + "# a\n  # b\n      # c\n\t# d\n    scheduler=rr\n", "tcp:10.0.0.1:80 http rr, 1 real"},
		{"comment after a value", "virtual=10.0.0.1:80 # web\n    real=10.1.0.1:80 masq 2 # first\n    scheduler=rr# x\n    service=http     # what\n", "tcp:10.0.0.1:80 http rr, 1 real"},
		{"blanks around =", "virtual \t = \t 10.0.0.1:80\n    scheduler\t=\trr\n", "tcp:10.0.0.1:80 http rr, 0 real"},
		{"blanks at the end", "checktimeout=3  \nvirtual=10.0.0.1:80   \n    real=10.1.0.1:80 masq   \n    scheduler=rr  \n    fallback=127.0.0.1:80 gate  \n    httpmethod=get \n    protocol=tcp \n    checktype=connect \n", "tcp:10.0.0.1:80 http rr, 1 real"},
		{"blank after yes", "quiescent=yes \n", "1: quiescent must be 'yes' or 'no'"},
		{"tab after no", "autoreload=no\t\n", "1: autoreload must be 'yes' or 'no'"},
		{"blank after yes in a block", web + "    ops=yes \n", "3: ops must be 'yes' or 'no'"},
		{"blank after a mask", web + "    netmask=255.0.0.0 \n", "3: invalid netmask: dotted quad notation is required"},
		{"blank after a state", "emailalertstatus=all \n", `1: invalid email alert status at: "all "`},
		{"CR LF", strings.ReplaceAll("checktimeout=3\n\n# x\n"+web+"    request=\"a\"\n    fallback=127.0.0.1:80 gate\n\nlogfile=\"/x\"\n", "\n", "\r\n"), plain},
		{"CR LF after yes", "quiescent=yes\r\n", "1: quiescent must be 'yes' or 'no'"},
		{"CR LF after four blanks", web + "    \r\n", "3: Unknown command \"    \r\""},
		{"CR in a line", "checktimeout=3\rfrob=1\r", ""},
		{"no newline at the end", web + "    scheduler=rr", "tcp:10.0.0.1:80 http rr, 1 real"},
		{"unknown without newline", web + "    frob=1", `3: Unknown command "    frob=1"`},
		{"only blanks", " \n\t\n\v\f\n     \n", ""},
		{"indented comment", "   # here\n\t# there\n", ""},
		{"indented global", "\tquiescent=yes\n", "1: Unknown command \tquiescent=yes"},
		{"indented virtual", "  virtual=10.0.0.1:80\n", "1: Unknown command   virtual=10.0.0.1:80"},
		{"a zero byte", "\x00\n", "1: Unknown command \x00"},
		{"supervised and blanks", "supervised   \n", ""},
		{"real with blanks only", "virtual=10.0.0.1:80\n    real=10.1.0.1:80  \n", "2: forward method must be gate, masq or ipip"},
		{"virtual at the end", web + "virtual=10.0.0.2:80", plain + "; tcp:10.0.0.2:80 http wrr, 0 real"},
		{"virtual and a comment at the end", "virtual=10.0.0.2:80\n    # x", "tcp:10.0.0.2:80 http wrr, 0 real"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, outline(test.text)); diff != "" {
				t.Errorf("%q (-want +got):\n%s", test.text, diff)
			}
		})
	}
}

// outline is what a file comes to, in a line.
func outline(text string) string {
	c, err := Parse("t.cf", []byte(text), testOptions())
	if err != nil {
		return strings.TrimPrefix(err.Error(), "reading file t.cf at line ")
	}
	var virtuals []string
	for _, v := range c.Virtuals {
		virtuals = append(virtuals, v.ID()+" "+v.Service+" "+v.Scheduler+", "+strconv.Itoa(len(v.Reals))+" real")
	}
	return strings.Join(virtuals, "; ")
}

// TestHintsOfBlanks is about what cannot be seen, so that check has to say it.
func TestHintsOfBlanks(t *testing.T) {
	const web = "virtual=10.0.0.1:80\n    real=10.1.0.1:80 masq\n"
	tests := []struct {
		name, text, want string
	}{
		{"blank after yes", "quiescent=yes \n", "1: quiescent must be 'yes' or 'no'\n    there are blanks at the end of the line, which are part of the value\n"},
		{"CR LF", "quiescent=yes\r\n", "0: warning: the file has DOS line ends, which are part of some values\n    sed -i 's/\\r$//' t.cf\n" +
			"1: quiescent must be 'yes' or 'no'\n    the line has a DOS line end, which is part of the value\n"},
		{"five blanks", web + "     \n", "3: Unknown command \"     \"\n    a line of five blanks or more is a part of the block: remove it or make it a comment\n"},
		{"an empty line, then a mistake", web + "\n    frob=1\n    scheduler=RR\n", "4: Unknown command \"    frob=1\"\n    line 3 is empty and ended the block of line 1: remove it or make it a comment\n" +
			"5: invalid scheduler, should be only lowercase letters (a-z)\n    for example scheduler = wrr\n"},
		{"an empty line, then another block", web + "\n    virtual=10.0.0.2:80\n    scheduler=rr\n", "4: Unknown command     virtual=10.0.0.2:80\n    a virtual line begins in the first column and has a \"=\": virtual = ADDRESS:PORT\n"},
		{"an empty line, then a comment", web + "\n    # x\n", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, checkText(test.text)); diff != "" {
				t.Errorf("%q (-want +got):\n%s", test.text, diff)
			}
		})
	}
}

func TestSplitDirective(t *testing.T) {
	tests := []struct {
		text, name, value string
		ok                bool
	}{
		{"a=b", "a", "b", true},
		{"fallback6 \t= \v b = c ", "fallback6", "b = c ", true},
		{"supervised", "supervised", "", false},
		{"supervised yes", "supervised", "yes", false},
		{"=b", "", "b", true},
		{" a=b", "", "a=b", false},
		{"A=b", "", "A=b", false},
		{"", "", "", false},
	}
	for _, test := range tests {
		name, value, ok := splitDirective(test.text)
		if name != test.name || value != test.value || ok != test.ok {
			t.Errorf("splitDirective(%q) = %q, %q, %v, want %q, %q, %v", test.text, name, value, ok, test.name, test.value, test.ok)
		}
	}
}
