package checker

import (
	"context"
	"strings"

	"github.com/ldirectord/ldirectord/internal/account"
	"github.com/ldirectord/ldirectord/internal/command"
	"github.com/ldirectord/ldirectord/internal/secret"
)

const perl = "/usr/bin/perl"

// perlDriver evaluates the file in its first argument with the others in
// @ARGV. As in ldirectord's check_external_perl the file is up when it returns or
// ends without exit, and down when it dies or does not compile; exit is up only
// with 0, and not with 256, which a process would turn into 0.
const perlDriver = `BEGIN { *CORE::GLOBAL::exit = sub { CORE::exit(($_[0] // 0) == 0 ? 0 : $_[0] & 255 || 1) } }
my $file = shift; $0 = $file;
open(my $readable, "<", $file) or $fail->("cannot open $file: $!\n"); close($readable);
do($file =~ m{^/} ? $file : "./$file"); $fail->($@) if $@;`

// What perlDriver does with a file that dies: perl chooses the exit status, which with
// externalweight could be a weight.
const (
	perlDies   = `my $fail = sub { die @_ }; `
	perlWeighs = `my $fail = sub { print STDERR @_; CORE::exit(1) }; `
)

// An ExternalPerl check is up when a Perl file, started with the arguments of
// External, ends with exit status 0 or without exit. The original evaluates the
// file inside its own process; here it runs in a perl process of its own, so that
// it can be ended and can do no damage. It sees none of the original's functions
// and modules.
type ExternalPerl struct {
	Command      secret.Command
	User         account.Account // as that of External
	VAddr, VPort string
	RAddr, RPort string
	Args         string // further ones, with a NUL between them
	ArgsOnly     bool   // as that of External
	Weighs       bool   // as that of External
}

// String implements Checker.
func (e ExternalPerl) String() string {
	return strings.Replace(External(e).String(), "external", "external-perl", 1)
}

// Check implements Caller.
func (e ExternalPerl) Check(ctx context.Context) (detail string, err error) {
	driver := perlDies + perlDriver
	if e.Weighs {
		driver = perlWeighs + perlDriver
	}
	args := append([]string{"-e", driver, "--", e.Command.Reveal()}, External(e).args()...)
	return "", External(e).run(ctx, command.Command{Path: perl, Args: args, As: e.User})
}
