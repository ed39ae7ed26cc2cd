package importer

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ldirectord/ldirectord/conf"
)

const dump = `-A -t 10.0.0.1:80 -s wrr -p 600 -M 255.255.255.0
-a -t 10.0.0.1:80 -r 10.1.0.1:80 -g -w 5
-a -t 10.0.0.1:80 -r 10.1.0.2:80 -i -w 0 -x 100 -y 50 --tun-type ipip
-A -u 10.0.0.1:53 -s rr -o
-a -u 10.0.0.1:53 -r 10.1.0.3:53 -m -w 1
-A -t [fd00::1]:443 -s sh -b sh-fallback,sh-port
-a -t [fd00::1]:443 -r [fd00::11]:8443 -m -w 2
-A -f 8 -s wlc --pe sip
-a -f 8 -r 10.1.0.1:0 -g -w 1
-A -f 9 -6 -s wlc
-a -t 10.9.9.9:80 -r 10.1.0.1:80 -g -w 1
-A -t www:http -s rr
-Z
`

const fromDumpWant = `
virtual = 10.0.0.1:80
    real = 10.1.0.1:80 gate 5
    real = 10.1.0.2:80 ipip 0 l:50 u:100
    protocol = tcp
    scheduler = wrr
    persistent = 600
    netmask = 255.255.255.0
    service = http
    request = "/"

virtual = 10.0.0.1:53
    real = 10.1.0.3:53 masq 1
    protocol = udp
    scheduler = rr
    ops = yes
    checktype = ping

virtual6 = [fd00::1]:443
    real6 = [fd00::11]:8443 masq 2
    protocol = tcp
    scheduler = sh
    schedflags = sh-fallback,sh-port
    service = https
    request = "/"
    sslverify = no

virtual = 8
    real = 10.1.0.1:0 gate 1
    scheduler = wlc
    checktype = ping

virtual6 = 9
    scheduler = wlc
    checktype = ping
`

const keepalivedConf = `! Configuration File for keepalived
global_defs { router_id LVS_1 }
vrrp_instance VI_1 {
    state MASTER
}
virtual_server 10.0.0.1 443 {
    delay_loop 6
    lb_algo rr
    lb_kind DR   # direct
    persistence_timeout 50
    protocol TCP
    alpha
    sorry_server 192.168.200.200 1358
    real_server 192.168.200.2 443 {
        weight 3
        SSL_GET {
            url {
                path /testurl/test.jsp
                digest 640205b7b0fc66c1ea91c463fac6334d
            }
            url { path "/two"
            }
            connect_timeout 3
            retry 3
        }
    }
    real_server 192.168.200.3 443
    {
        weight 1
        uthreshold 200
    }
}
virtual_server fwmark 7 {
    lvs_sched wlc
    lvs_method TUN
    real_server 10.1.0.1 0 { TCP_CHECK { connect_port 80 } }
}
virtual_server group G {
}
`

const fromKeepalivedWant = `
virtual = 10.0.0.1:443
    real = 192.168.200.2:443 gate 3
    real = 192.168.200.3:443 gate 1 u:200
    fallback = 192.168.200.200:1358 gate
    protocol = tcp
    scheduler = rr
    persistent = 50
    checkinterval = 6
    service = https
    sslverify = no
    request = "/testurl/test.jsp"
    checktimeout = 3
    failurecount = 4

virtual = 7
    real = 10.1.0.1:0 ipip 1
    scheduler = wlc
    checktype = connect
    checkport = 80
`

func TestImport(t *testing.T) {
	tests := map[string]struct {
		text, want string
		notes      []string
	}{
		"dump": {dump, fromDumpWant, []string{
			"line 8: --pe sip is not carried over",
			"line 11 is left out: its service was not added before",
			"line 12 is left out: www:http is no address and port: make the dump with -n",
		}},
		"keepalived": {keepalivedConf, fromKeepalivedWant, []string{
			"line 2: global_defs is not carried over",
			"line 3: vrrp_instance is not carried over",
			"line 12: alpha is not carried over",
			"line 19: digest 640205b7b0fc66c1ea91c463fac6334d is not carried over",
			"line 21: url is not carried over: there is one request",
			"line 38: virtual_server group G is left out: it is no address and port",
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, notes, err := Import(tt.text)
			if err != nil {
				t.Fatal(err)
			}
			_, blocks, _ := strings.Cut(got, "quiescent = no\n")
			if diff := cmp.Diff(strings.Split(tt.want, "\n"), strings.Split(blocks, "\n")); diff != "" {
				t.Errorf("file (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.notes, notes); diff != "" {
				t.Errorf("notes (-want +got):\n%s", diff)
			}
			if _, err := conf.Parse("t.cf", []byte(got), options()); err != nil {
				t.Errorf("ldirectord does not take it: %v\n%s", err, got)
			}
		})
	}
	if _, _, err := Import("nothing\nof that\n"); err == nil {
		t.Error("something was made of nothing")
	}
}

func options() conf.Options {
	return conf.Options{
		Hostname:   "director",
		LookupHost: func(string, bool) (netip.Addr, error) { return netip.Addr{}, errors.New("no names here") },
	}
}

func FuzzImport(f *testing.F) {
	f.Add(dump)
	f.Add(keepalivedConf)
	f.Add("virtual_server { { } } }\nvirtual_server 10.0.0.1 80 { real_server")
	f.Fuzz(func(_ *testing.T, text string) {
		_, _, _ = Import(text) // whatever it is, it ends
	})
}
