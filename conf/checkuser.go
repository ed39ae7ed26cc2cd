package conf

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ldirectord/ldirectord/internal/account"
)

// readCheckUser is checkuser = USER: the user, by name or number, that runs external
// checks, notifycommand, fallbackcommand and quorumcommand.
func readCheckUser(at *location, value string) (account.Account, error) {
	name := bareText(value)
	if name == "" || strings.ContainsAny(name, ":/"+blanks) {
		return account.Account{}, errors.New("checkuser must be the name or number of a user")
	}
	user, err := at.opts.LookupUser(name)
	switch {
	case errors.Is(err, account.ErrUnknown):
		return account.Account{}, because(CodeUnknownUser, errors.New("useradd --system makes a user; nobody exists on most hosts"), "checkuser "+name+": "+err.Error())
	case err != nil:
		return account.Account{}, fmt.Errorf("checkuser %s could not be looked up: %v", name, err) //nolint:errorlint // the text has the cause: it is no hint
	}
	return user, nil
}

// RunsAs reports whether a daemon with this configuration runs commands as CheckUser.
func (c *Config) RunsAs() bool {
	hasCommand := func(v *VirtualService) bool { return v.FallbackCommand != "" || v.QuorumCommand != "" }
	return c.NotifyCommand != "" || c.ChecksAs() || slices.ContainsFunc(c.Virtuals, hasCommand)
}

// ChecksAs reports whether some of these commands are checks, which a dry run makes, too.
func (c *Config) ChecksAs() bool {
	return slices.ContainsFunc(c.EachCheck(), func(v *VirtualService) bool {
		return v.CheckType == CheckExternal || v.CheckType == CheckExternalPerl
	})
}
