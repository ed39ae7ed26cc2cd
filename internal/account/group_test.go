package account

import (
	"errors"
	"strings"
	"testing"
)

func TestGroup(t *testing.T) {
	const admins = `[ "$*" = "group admins" ] || exit 2; echo admins:*:4713:someone,other`
	tests := []struct {
		name   string
		getent string // "": there is none
		group  string
		want   uint32
		err    string // "" is none
	}{
		{"of /etc/group", "", "root", 0, ""},
		{"a number", "", "4711", 4711, ""},
		{"unknown, without getent", "", "admins", 0, ErrUnknownGroup.Error()},
		{"unknown", admins, "others", 0, ErrUnknownGroup.Error()},
		{"of LDAP", admins, "admins", 4713, ""},
		{"LDAP fails", "exit 1", "admins", 0, "getent: exit status 1"},
		{"LDAP prints something else", "echo what", "admins", 0, "getent group printed"},
		{"no name", "", "", 0, ErrUnknownGroup.Error()},
		{"an option", "echo root:x:0:", "-s", 0, ErrUnknownGroup.Error()},
		{"two words", "echo root:x:0:", "no such group", 0, ErrUnknownGroup.Error()},
		{"a number with a sign", "echo root:x:0:", "-1", 0, ErrUnknownGroup.Error()},
		{"that chown leaves as it is", "", "4294967295", 0, "the kernel has no group 4294967295"},
		{"a number that wraps to root's", "", "4294967296", 0, "the kernel has no group 4294967296"},
		{"of LDAP, with such a number", "echo a:x:4294967296:", "a", 0, "the kernel has no group 4294967296"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			programs := map[string]string{"getent": tt.getent}
			if tt.getent == "" {
				programs = nil
			}
			fakes(t, programs)
			got, err := Group(tt.group)
			if (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Fatalf("error %v, want %q", err, tt.err)
			}
			if errors.Is(err, ErrUnknownGroup) != (tt.err == ErrUnknownGroup.Error()) {
				t.Errorf("error %v is ErrUnknownGroup: %t", err, errors.Is(err, ErrUnknownGroup))
			}
			if got != tt.want {
				t.Errorf("group %d, want %d", got, tt.want)
			}
		})
	}
}
