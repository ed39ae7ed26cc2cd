# Reads lines of a pattern and an input, both in hexadecimal, and prints for
# each 1 (matches), 0 (does not) or E (Perl refuses the pattern). The pattern
# comes from a variable, as the receive of a configuration file does.
use strict;
no warnings;
$| = 1;
while (my $line = <STDIN>) {
	my ($pattern, $input) = map { pack "H*", $_ } $line =~ /^(\w*) (\w*)$/;
	my $matches = eval { $input =~ /$pattern/ ? 1 : 0 };
	print defined $matches ? $matches : "E", "\n";
}
