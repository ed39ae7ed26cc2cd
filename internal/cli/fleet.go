package cli

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/daemon"
	"github.com/ldirectord/ldirectord/internal/fleet"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/status/wire"
	"github.com/ldirectord/ldirectord/internal/status/words"
)

// allHelp is the help of --all.
const allHelp = "each director of the directive directors"

// openFleet is the fleet of the configuration file. Names of real servers are not looked up: an
// order must not wait for them.
func openFleet(s *session) (*fleet.Fleet, error) {
	if s.inv.dryRun {
		return nil, usageError("--dry-run and --all cannot be combined: --all is for what listens at the addresses of directors")
	}
	if err := s.find(); err != nil {
		return nil, &daemon.Exit{Status: exitFailed, Text: err.Error(), Cause: err}
	}
	options := withoutLookups(withoutCredentials(s.Path, daemon.Harmless(s.Dirs.ConfigOptions())))
	options.TryOpen = logsClosedTo(os.Geteuid()).tryOpen(options.TryOpen)
	cfg, err := conf.Load(s.Path, options)
	if err != nil {
		return nil, &daemon.Exit{Status: exitConfig, Text: diagnosis(err), Cause: err}
	}
	if len(cfg.Directors) == 0 {
		return nil, fmt.Errorf("--all needs the directors: %s has no line such as directors = d1.example.com:9180 d2.example.com:9180", s.Path)
	}
	f, err := fleet.New(cfg.StatusServer)
	if err != nil {
		return nil, fmt.Errorf("the directors cannot be asked: statusca: %w", err)
	}
	return f, nil
}

// withoutLookups are options with which each name has an address of its own that is no real one.
func withoutLookups(o conf.Options) conf.Options {
	known := map[string]uint32{}
	o.LookupHost = func(name string, ipv6 bool) (netip.Addr, error) {
		n, ok := known[name]
		if !ok {
			n = uint32(len(known)) + 1
			known[name] = n
		}
		if ipv6 {
			return netip.AddrFrom16([16]byte{0x01, 12: byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}), nil // the discard prefix, 100::/64
		}
		return netip.AddrFrom4([4]byte{240 | byte(n>>24)&0xf, byte(n >> 16), byte(n >> 8), byte(n)}), nil
	}
	o.LookupReal = func(name string, ipv6, _ bool) ([]conf.Found, error) {
		addr, err := o.LookupHost(name, ipv6)
		return []conf.Found{{Addr: addr}}, err
	}
	return o
}

// An allOption is whether an order is for all directors.
type allOption struct {
	flags       *pflag.FlagSet
	all, asJSON bool
}

// allOptions adds the options of an order for all directors.
func allOptions(flags *pflag.FlagSet) *allOption {
	o := &allOption{flags: flags}
	flags.BoolVar(&o.all, "all", false, "to "+allHelp)
	flags.BoolVar(&o.asJSON, "json", false, "with --all: "+jsonHelp)
	return o
}

// wanted reports whether an option of all directors was given.
func (o *allOption) wanted() bool { return o.all || o.asJSON }

// order gives an order to all directors.
func (o *allOption) order(s *session, order report.Order) error {
	if !o.all {
		return usageError("--json needs --all: the answer to an order for this director is a line")
	}
	if wait := o.flags.Lookup("wait"); wait != nil && wait.Changed {
		return usageError("--wait and --all cannot be combined: show --all has the connections that are left on each director")
	}
	return answerJSON(s, o.asJSON, orderAll(s, order, o.asJSON))
}

// A fleetOrder is what an order for all directors prints with --json.
type fleetOrder struct {
	Order     report.Order     `json:"order"`
	Directors []directorObeyed `json:"directors"`
	Failed    []string         `json:"failed"` // those that did not obey
}

// A directorObeyed is what one director did.
type directorObeyed struct {
	Director string            `json:"director"`
	Obeyed   []report.Override `json:"obeyed,omitempty"`
	Warning  string            `json:"warning,omitempty"`
	Error    *directorError    `json:"error,omitempty"` // nil: it obeyed
}

// A directorError is why a director did not answer, or not obey.
type directorError struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// errorOf is the error of one director for programs, nil for none.
func errorOf(err error) *directorError {
	if err == nil {
		return nil
	}
	return &directorError{Code: errorCode(err), Message: err.Error()}
}

// orderAll gives all directors an order, and prints what each of them did.
func orderAll(s *session, o report.Order, asJSON bool) error {
	f, err := openFleet(s)
	if err != nil {
		return err
	}
	answers, err := f.Order(context.Background(), o)
	if err != nil {
		return err
	}
	failed := fleet.Failed(answers)
	if asJSON {
		d := fleetOrder{Order: o, Failed: append([]string{}, failed...)}
		for _, a := range answers {
			d.Directors = append(d.Directors, directorObeyed{Director: a.Director, Obeyed: a.Value.Obeyed, Warning: a.Value.Warning, Error: errorOf(a.Err)})
		}
		return errors.Join(printJSON(s.Stdout, d), silently(len(failed) > 0))
	}
	for _, a := range answers {
		if a.Err != nil {
			fmt.Fprintf(s.Stdout, "%s: not done: %v\n", a.Director, a.Err)
			continue
		}
		fmt.Fprintf(s.Stdout, "%s: %s\n", a.Director, done(o, a.Value.Obeyed))
		for _, line := range remarks(a.Value) {
			fmt.Fprintf(s.Stderr, "%s: %s\n", a.Director, words.OneLine(line))
		}
	}
	if len(failed) == 0 {
		return nil
	}
	text := fmt.Sprintf("%d of %d directors obeyed; not %s", len(answers)-len(failed), len(answers), strings.Join(failed, ", "))
	if slices.ContainsFunc(answers, func(a fleet.Answer[wire.OrderAnswer]) bool {
		return a.Err != nil && !errors.Is(a.Err, report.ErrNotConfigured)
	}) {
		text += ". Run again with: " + again(s)
	}
	return &daemon.Exit{Status: exitFailed, Text: text}
}

// silently is the error of a command whose document has the reasons, nil if it has not failed.
func silently(failed bool) error {
	if !failed {
		return nil
	}
	return &daemon.Exit{Status: exitFailed}
}

// done are the words for what a director did.
func done(o report.Order, obeyed []report.Override) string {
	verb := map[string]string{
		report.Drain: "drained", report.Disable: "disabled", report.Enable: "enabled", report.Weight: fmt.Sprintf("weight %d", o.Weight),
		report.Withdraw: "withdrawn", report.Announce: "announced",
	}[o.Verb]
	if o.Percent > 0 {
		verb = fmt.Sprintf("weight %d%%", o.Percent)
	}
	if len(obeyed) == 0 {
		return "nothing to do"
	}
	var names []string
	for _, of := range obeyed {
		name := of.Virtual
		if of.Real != "" {
			name = of.Real + " (" + of.Virtual + ")"
		}
		names = append(names, name)
	}
	const most = 3
	if more := len(names) - most; more > 0 {
		names = append(names[:most], fmt.Sprintf("and %d more", more))
	}
	return words.OneLine(verb + ": " + strings.Join(names, ", "))
}

// remarks are the lines beside what a director did.
func remarks(a wire.OrderAnswer) (lines []string) {
	for _, of := range a.Obeyed {
		if of.Remark != "" {
			lines = append(lines, fmt.Sprintf("%s (%s): %s", of.Real, of.Virtual, of.Remark))
		}
	}
	if a.Warning != "" {
		lines = append(lines, "warning: "+a.Warning)
	}
	return lines
}

var plainWords = regexp.MustCompile(`^[A-Za-z0-9@%+=:,./_\[\]-]+$`)

// again is the command line, to be copied to a shell.
func again(s *session) string {
	line := []string{"ldirectord"}
	if s.inv.named && !slices.Contains(s.inv.words, s.inv.config) {
		line = append(line, "--config="+s.inv.config)
	}
	for _, word := range s.inv.words {
		if !plainWords.MatchString(word) {
			word = "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
		}
		line = append(line, word)
	}
	return strings.Join(line, " ")
}
