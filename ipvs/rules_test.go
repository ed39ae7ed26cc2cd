package ipvs

import (
	"io/fs"
	"math"
	"net/netip"
	"strings"
)

var (
	web  = service(TCP, "10.0.0.1:80", "wrr")
	web6 = service(TCP, "[fd00::1]:80", "wrr")
	dns  = service(UDP, "10.0.0.1:53", "rr")
	all  = service(TCP, "10.0.0.1:0", "rr")
	mark = markService(8, false, "rr")
)

var rules = []rule{
	{
		name: "a service with each forwarding method",
		steps: []step{
			do(AddService, web),
			do(AddDestination, web, destination("10.1.0.1:80", Route, 2)),
			do(AddDestination, web, destination("10.1.0.2:80", Tunnel, 1)),
			do(AddDestination, web, destination("10.1.0.3:8080", Masq, 0)),
		},
		table: []string{
			"-A -t 10.0.0.1:80 -s wrr",
			"-a -t 10.0.0.1:80 -r 10.1.0.1:80 -g -w 2",
			"-a -t 10.0.0.1:80 -r 10.1.0.2:80 -i -w 1 --tun-type ipip",
			"-a -t 10.0.0.1:80 -r 10.1.0.3:8080 -m -w 0",
		},
	},
	{
		name: "IPv6",
		steps: []step{
			do(AddService, web6.persistent(300, Prefix(64, true))),
			do(AddDestination, web6, destination("[fd00::9]:80", Route, 1)),
			do(AddDestination, web6, destination("[fd00::a]:8080", Masq, 1)),
			do(AddDestination, web6, destination("[::1]:80", Route, 1)),
			do(AddDestination, web6, destination("[fe80::1]:80", Masq, 1)).fails(errAny,
				"-a -t [fd00::1]:80 -r [fe80::1]:80 -m -w 1: not a unicast address for this kernel, or the interface lo is down"),
		},
		table: []string{
			"-A -t [fd00::1]:80 -s wrr -p 300 -M 64",
			"-a -t [fd00::1]:80 -r [::1]:80 -g -w 1",
			"-a -t [fd00::1]:80 -r [fd00::9]:80 -g -w 1",
			"-a -t [fd00::1]:80 -r [fd00::a]:8080 -m -w 1",
		},
	},
	{
		name: "marks of both families are different services",
		steps: []step{
			do(AddService, mark),
			do(AddService, markService(8, true, "wlc")),
			do(AddService, markService(math.MaxUint32, false, "rr").persistent(9, 0)),
			do(AddDestination, mark, destination("10.1.0.1:80", Route, 1)),
			do(AddDestination, mark, destination("10.1.0.2:0", Masq, 1)),
			do(AddDestination, markService(8, true, ""), destination("[fd00::9]:0", Route, 3)),
		},
		table: []string{
			"-A -f 8 -s rr",
			"-a -f 8 -r 10.1.0.1:80 -g -w 1",
			"-a -f 8 -r 10.1.0.2:0 -m -w 1",
			"-A -f 8 -6 -s wlc",
			"-a -f 8 -6 -r [fd00::9]:0 -g -w 3",
			"-A -f 4294967295 -s rr -p 9",
		},
	},
	{
		name: "other protocols and one-packet scheduling",
		steps: []step{
			do(AddService, dns.flags(FlagOnePacket)),
			do(AddService, service(SCTP, "10.0.0.1:80", "rr")),
			do(AddService, markService(9, false, "rr").flags(FlagOnePacket)),
			do(AddService, web.flags(FlagOnePacket)).fails(errAny,
				"-A -t 10.0.0.1:80 -s wrr -o: one-packet scheduling is for udp only"),
			do(AddDestination, dns, destination("10.1.0.1:53", Masq, 1)),
		},
		table: []string{
			"-A -u 10.0.0.1:53 -s rr -o",
			"-a -u 10.0.0.1:53 -r 10.1.0.1:53 -m -w 1",
			"-A --sctp-service 10.0.0.1:80 -s rr",
			"-A -f 9 -s rr -o",
		},
	},
	{
		name: "added twice",
		steps: []step{
			do(AddService, web),
			do(AddService, service(TCP, "10.0.0.1:80", "rr")).fails(fs.ErrExist,
				"-A -t 10.0.0.1:80 -s rr: the service is there already"),
			do(AddDestination, web, destination("10.1.0.1:80", Route, 1)),
			do(AddDestination, web, destination("10.1.0.1:80", Masq, 2)).fails(fs.ErrExist,
				"-a -t 10.0.0.1:80 -r 10.1.0.1:80 -m -w 2: the destination is there already"),
		},
		table: []string{
			"-A -t 10.0.0.1:80 -s wrr",
			"-a -t 10.0.0.1:80 -r 10.1.0.1:80 -g -w 1",
		},
	},
	{
		name: "missing",
		steps: []step{
			do(EditService, web).fails(fs.ErrNotExist, "-E -t 10.0.0.1:80 -s wrr: no such service"),
			do(DeleteService, web).fails(fs.ErrNotExist, "-D -t 10.0.0.1:80: no such service"),
			do(AddDestination, web, destination("10.1.0.1:80", Route, 1)).fails(fs.ErrNotExist,
				"-a -t 10.0.0.1:80 -r 10.1.0.1:80 -g -w 1: no such service"),
			do(DeleteDestination, mark, destination("10.1.0.1:80", Route, 1)).fails(fs.ErrNotExist,
				"-d -f 8 -r 10.1.0.1:80: no such service"),
			do(AddService, web),
			do(EditDestination, web, destination("10.1.0.1:80", Route, 1)).fails(fs.ErrNotExist,
				"-e -t 10.0.0.1:80 -r 10.1.0.1:80 -g -w 1: no such destination"),
			do(DeleteDestination, web, destination("10.1.0.1:80", Route, 1)).fails(fs.ErrNotExist,
				"-d -t 10.0.0.1:80 -r 10.1.0.1:80: no such destination"),
		},
		table: []string{"-A -t 10.0.0.1:80 -s wrr"},
	},
	{
		name: "edits",
		steps: []step{
			do(AddService, web.persistent(300, Prefix(24, false))),
			do(AddDestination, web, destination("10.1.0.1:80", Route, 1).thresholds(9, 3)),
			do(AddDestination, web, destination("10.1.0.2:80", Route, 1)),
			do(EditService, service(TCP, "10.0.0.1:80", "sh").flags(FlagSched2)),
			do(EditDestination, web, destination("10.1.0.1:80", Masq, 5)),
			do(DeleteDestination, web, destination("10.1.0.2:80", Masq, 0)),
		},
		table: []string{
			"-A -t 10.0.0.1:80 -s sh -b sh-port",
			"-a -t 10.0.0.1:80 -r 10.1.0.1:80 -m -w 5",
		},
	},
	{
		name: "a deleted service takes its destinations along",
		steps: []step{
			do(AddService, web),
			do(AddDestination, web, destination("10.1.0.1:80", Route, 1)),
			do(DeleteService, web),
			do(AddService, web),
		},
		table: []string{"-A -t 10.0.0.1:80 -s wrr"},
	},
	{
		name: "unknown scheduler or persistence engine",
		steps: []step{
			do(AddService, service(TCP, "10.0.0.1:80", "foo")).fails(fs.ErrNotExist,
				"-A -t 10.0.0.1:80 -s foo: no such scheduler in this kernel: modprobe ip_vs_foo"),
			do(AddService, service(TCP, "10.0.0.1:80", "a-name-too-long-for-it")).fails(fs.ErrNotExist, ""),
			do(AddService, service(TCP, "10.0.0.1:80", "")).fails(errAny,
				"-A -t 10.0.0.1:80 -s : a service needs a scheduler"),
			do(AddService, web.persistent(9, 0).engine("foo")).fails(fs.ErrNotExist,
				"-A -t 10.0.0.1:80 -s wrr -p 9 --pe foo: no such scheduler or persistence engine in this kernel: modprobe ip_vs_wrr ip_vs_pe_foo"),
			do(AddService, web),
			do(EditService, service(TCP, "10.0.0.1:80", "bar")).fails(fs.ErrNotExist, ""),
			do(AddService, dns.persistent(9, 0).engine("sip").flags(FlagOnePacket|FlagSched1)),
		},
		table: []string{
			"-A -t 10.0.0.1:80 -s wrr",
			"-A -u 10.0.0.1:53 -s rr -p 9 --pe sip -o -b flag-1",
		},
	},
	{
		name: "persistence",
		steps: []step{
			do(AddService, service(TCP, "10.0.0.1:1", "rr").persistent(1, 0)),
			do(AddService, service(TCP, "10.0.0.1:2", "rr").persistent(MaxTimeout, Prefix(32, false))),
			do(AddService, service(TCP, "10.0.0.1:3", "rr").persistent(300, Prefix(24, false))),
			do(AddService, service(TCP, "10.0.0.1:4", "rr").persistent(300, AllClients)),
			do(AddService, service(TCP, "10.0.0.1:5", "rr").persistent(0, 0)).fails(errAny,
				"-A -t 10.0.0.1:5 -s rr -p 0: persistent timeout 0 is not in 1 to 2678400 seconds"),
			do(AddService, service(TCP, "10.0.0.1:5", "rr").persistent(MaxTimeout+1, 0)).fails(errAny, ""),
			do(AddService, service(TCP, "10.0.0.1:5", "rr").persistent(1, 0x00ff00ff)),
			do(AddService, service(TCP, "10.0.0.1:6", "rr").persistent(1, Prefix(1, false))),
			do(AddService, service(TCP, "[fd00::1]:1", "rr").persistent(1, Prefix(128, true))),
			do(AddService, service(TCP, "[fd00::1]:2", "rr").persistent(1, Prefix(1, true))),
			do(AddService, service(TCP, "[fd00::1]:3", "rr").persistent(1, AllClients)).fails(errAny, ""),
		},
		table: []string{
			"-A -t 10.0.0.1:1 -s rr -p 1",
			"-A -t 10.0.0.1:2 -s rr -p 2678400",
			"-A -t 10.0.0.1:3 -s rr -p 300 -M 255.255.255.0",
			"-A -t 10.0.0.1:4 -s rr -p 300 -M 0.0.0.0",
			"-A -t 10.0.0.1:5 -s rr -p 1 -M 255.0.255.0",
			"-A -t 10.0.0.1:6 -s rr -p 1 -M 128.0.0.0",
			"-A -t [fd00::1]:1 -s rr -p 1",
			"-A -t [fd00::1]:2 -s rr -p 1 -M 1",
		},
	},
	{
		name: "scheduler flags",
		steps: []step{
			do(AddService, service(TCP, "10.0.0.1:1", "sh").flags(FlagSched1|FlagSched2)),
			do(AddService, service(TCP, "10.0.0.1:2", "mh").flags(FlagSched1|FlagSched2)),
			do(AddService, service(TCP, "10.0.0.1:3", "rr").flags(FlagSched1|FlagSched2|FlagSched3)),
			do(AddService, service(TCP, "10.0.0.1:4", "rr").flags(FlagHashed)), // means nothing
		},
		table: []string{
			"-A -t 10.0.0.1:1 -s sh -b sh-fallback,sh-port",
			"-A -t 10.0.0.1:2 -s mh -b mh-fallback,mh-port",
			"-A -t 10.0.0.1:3 -s rr -b flag-1,flag-2,flag-3",
			"-A -t 10.0.0.1:4 -s rr",
		},
	},
	{
		name: "weights and thresholds",
		steps: []step{
			do(AddService, web),
			do(AddDestination, web, destination("10.1.0.1:80", Masq, 65535)),
			do(AddDestination, web, destination("10.1.0.2:80", Masq, 65536)),
			do(AddDestination, web, destination("10.1.0.3:80", Masq, math.MaxInt32)),
			do(AddDestination, web, destination("10.1.0.4:80", Masq, 1).thresholds(100, 0)),
			do(AddDestination, web, destination("10.1.0.5:80", Masq, 1).thresholds(100, 100)),
			do(AddDestination, web, destination("10.1.0.6:80", Masq, 1).thresholds(0, 5)).fails(errAny,
				"-a -t 10.0.0.1:80 -r 10.1.0.6:80 -m -w 1 -y 5: lower threshold 5 is above the upper threshold 0"),
			do(AddDestination, web, destination("10.1.0.6:80", Masq, -1)).fails(errAny,
				"-a -t 10.0.0.1:80 -r 10.1.0.6:80 -m -w -1: weight -1 is not in 0 to 2147483647"),
			do(AddDestination, web, destination("10.1.0.6:80", Masq, math.MaxInt32+1)).fails(errAny, ""),
		},
		table: []string{
			"-A -t 10.0.0.1:80 -s wrr",
			"-a -t 10.0.0.1:80 -r 10.1.0.1:80 -m -w 65535",
			"-a -t 10.0.0.1:80 -r 10.1.0.2:80 -m -w 65536",
			"-a -t 10.0.0.1:80 -r 10.1.0.3:80 -m -w 2147483647",
			"-a -t 10.0.0.1:80 -r 10.1.0.4:80 -m -w 1 -x 100",
			"-a -t 10.0.0.1:80 -r 10.1.0.5:80 -m -w 1 -x 100 -y 100",
		},
	},
	{
		name: "ports are stored as given, whatever the method",
		steps: []step{
			do(AddService, web),
			do(AddDestination, web, destination("10.1.0.1:8080", Route, 1)),
			do(AddDestination, web, destination("10.1.0.1:80", Route, 1)),
			do(AddDestination, web, destination("10.1.0.2:8080", Tunnel, 1)),
			do(AddDestination, web, destination("10.1.0.3:0", Masq, 1)),
			do(AddDestination, web, destination("10.1.0.4:0", Route, 1)),
		},
		table: []string{
			"-A -t 10.0.0.1:80 -s wrr",
			"-a -t 10.0.0.1:80 -r 10.1.0.1:80 -g -w 1",
			"-a -t 10.0.0.1:80 -r 10.1.0.1:8080 -g -w 1",
			"-a -t 10.0.0.1:80 -r 10.1.0.2:8080 -i -w 1 --tun-type ipip",
			"-a -t 10.0.0.1:80 -r 10.1.0.3:0 -m -w 1",
			"-a -t 10.0.0.1:80 -r 10.1.0.4:0 -g -w 1",
		},
	},
	{
		name: "local addresses keep their method",
		steps: []step{
			do(AddService, web),
			do(AddDestination, web, destination("127.0.0.1:80", Route, 1)),
			do(AddDestination, web, destination("127.0.0.2:80", Masq, 1)),
			do(AddDestination, web, destination("127.0.0.3:80", Tunnel, 1)),
		},
		table: []string{
			"-A -t 10.0.0.1:80 -s wrr",
			"-a -t 10.0.0.1:80 -r 127.0.0.1:80 -g -w 1",
			"-a -t 10.0.0.1:80 -r 127.0.0.2:80 -m -w 1",
			"-a -t 10.0.0.1:80 -r 127.0.0.3:80 -i -w 1 --tun-type ipip",
		},
	},
	{
		name: "all ports need persistence",
		steps: []step{
			do(AddService, all).fails(errAny,
				"-A -t 10.0.0.1:0 -s rr: port 0, all ports, works with persistence only"),
			do(AddService, all.persistent(300, 0)),
			do(EditService, all).fails(errAny, ""),
			do(AddDestination, all, destination("10.1.0.1:0", Route, 1)),
		},
		table: []string{
			"-A -t 10.0.0.1:0 -s rr -p 300",
			"-a -t 10.0.0.1:0 -r 10.1.0.1:0 -g -w 1",
		},
	},
	{
		name: "what cannot be in a table",
		steps: []step{
			do(AddService, Service{Scheduler: "rr"}).fails(errAny, ""),
			do(AddService, markService(0, false, "rr")).fails(errAny, ""),
			do(AddService, Service{Key: Key{Mark: 1, Port: 80}, Scheduler: "rr"}).fails(errAny, ""),
			do(AddService, service(1, "10.0.0.1:80", "rr")).fails(errAny,
				"-A --protocol-1 10.0.0.1:80 -s rr: protocol 1 is not tcp, udp or sctp"),
			do(AddService, service(TCP, "[::ffff:1.2.3.4]:80", "rr")).fails(errAny, ""),
			do(AddService, service(TCP, "[fe80::1%eth0]:80", "rr")).fails(errAny, ""),
			do(AddService, Service{Key: Key{Protocol: TCP, Addr: netip.MustParseAddr("fd00::1"), Port: 80}, Scheduler: "rr"}).
				fails(errAny, ""),
			do(AddService, web),
			do(AddDestination, web).fails(errAny, ""),
			do(AddDestination, web, destination("[fd00::9]:80", Masq, 1)).fails(errAny,
				"-a -t 10.0.0.1:80 -r [fd00::9]:80 -m -w 1: an IPv6 destination cannot be in an IPv4 service"),
			do(AddDestination, web6, destination("10.1.0.1:80", Tunnel, 1)).fails(errAny, ""),
			do(DeleteDestination, web6, destination("10.1.0.1:80", Tunnel, 1)).fails(errAny, ""),
			do(AddDestination, web, destination("10.1.0.1:80", Local, 1)).fails(errAny, ""),
			do(AddDestination, web, destination("0.0.0.0:80", Masq, 1)).fails(errAny,
				"-a -t 10.0.0.1:80 -r 0.0.0.0:80 -m -w 1: 0.0.0.0 is not a unicast address"),
			do(AddDestination, web, destination("224.0.0.1:80", Masq, 1)).fails(errAny, ""),
			do(AddDestination, web, destination("255.255.255.255:80", Masq, 1)).fails(errAny, ""),
			do(Op(99), web).fails(errAny, "-99? -t 10.0.0.1:80: no such operation: 99"),
		},
		table: []string{"-A -t 10.0.0.1:80 -s wrr"},
	},
	{name: "every scheduler", steps: everyScheduler(), table: everySchedulerTable()},
}

var schedulerNames = strings.Fields("rr wrr lc wlc lblc lblcr dh sh sed nq mh fo ovf")

func everyScheduler() []step {
	steps := []step{do(AddService, web)}
	for _, name := range schedulerNames {
		s := web
		s.Scheduler = name
		steps = append(steps, do(EditService, s), do(AddService, markService(uint32(len(steps)), false, name)))
	}
	return steps
}

func everySchedulerTable() []string {
	lines := []string{"-A -t 10.0.0.1:80 -s ovf"}
	for i, name := range schedulerNames {
		lines = append(lines, "-A "+markService(uint32(2*i+1), false, name).String())
	}
	return lines
}
