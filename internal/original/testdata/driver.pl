# Runs Debian's ldirectord once per request, without a new Perl each time: the
# program is compiled once, each run is a fork. What it would have ipvsadm do is
# recorded. In place of the first checks each real server comes up, in the order of
# the file, and that is the end.
use strict;
use POSIX ();
our ($all_up, $record);
sub all_up {
	$all_up = 1;
	for my $v (@main::VIRTUAL) {
		main::service_set($v, $_, "up") for @{$v->{real} || []};
	}
	POSIX::_exit(0);
}
BEGIN {
	*CORE::GLOBAL::system = sub { print $record join(" ", @_), "\n"; $? = 0; return 0 };
	*CORE::GLOBAL::sleep = sub { POSIX::_exit(0) };
	*CORE::GLOBAL::fork = sub { 0 }; # it goes on as its own child
}
$| = 1;
my ($program, $dir) = @ARGV;
open my $file, "<", $program or die "$program: $!\n";
my $source = do { local $/; <$file> };
$source =~ s/^__END__$.*//ms;
$source =~ s/^(sub service_set\s*\{)/$1 return unless \$main::all_up;/m or die "no service_set";
$source =~ s/^(sub _ld_main_check_all\s*\{)/$1 main::all_up();/m or die "no _ld_main_check_all";
$^W = 0;
$ENV{PERLIO} = "perlio";
eval "package Preload; no strict; sub {\n$source\n}" or die $@; # loads what it uses
open $record, ">>", "/dev/null";
print "ready\n";
while (my $request = <STDIN>) {
	chomp $request;
	my $pid = CORE::fork;
	if (!$pid) {
		open STDIN, "<", "/dev/null";
		open $record, ">", "$dir/commands"; select((select($record), $| = 1)[0]);
		open STDOUT, ">", "$dir/stdout";
		open STDERR, ">", "$dir/stderr";
		$0 = $program; @ARGV = split / /, $request;
		alarm 20;
		eval $source;
		POSIX::_exit(0);
	}
	waitpid $pid, 0;
	print $? >> 8, " ", $? & 127, "\n";
}
