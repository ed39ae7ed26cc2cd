// Package original compares what this program makes of configuration files with
// what the Perl program does that it replaces, where Debian's package ldirectord
// is installed. The Perl program runs in namespaces of its own, without a
// network and without IPVS: what it would have ipvsadm do is what counts.
//
// Its tests have the build tag long.
package original
