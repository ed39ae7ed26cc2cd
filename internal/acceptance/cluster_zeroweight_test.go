package acceptance

import (
	"context"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/lab"
	"github.com/ldirectord/ldirectord/internal/policy"
)

// A scheduling is what a virtual service's clients are scheduled by.
type scheduling struct{ scheduler, flags string }

// TestClusterZeroWeight measures what clients meet while a real server has
// weight 0 and another is well, and that policy says the same.
// TestLongClusterZeroWeight goes through all schedulers.
func TestClusterZeroWeight(t *testing.T) {
	zeroWeight(t, []scheduling{{"dh", ""}, {"mh", ""}}, []bool{false})
}

func zeroWeight(t *testing.T, schedulings []scheduling, ops []bool) {
	t.Parallel()
	lab.Program(t, program)
	if !lab.Inside(t) {
		return
	}
	c := newCluster(t, lab.DR, 2, "virtual=VIP:9\n    real=RS1:9 gate\n    checktype=off\n")
	c.must(c.In("client", addManyClients))
	c.realServers(2, "--vip", lab.VIP)
	c.host("director", "director", "up")
	c.must(c.In("director", func() error { return sysctl("ipv4/vs/conn_reuse_mode", "3") }))
	c.start()
	for _, tt := range schedulings {
		t.Run(tt.scheduler+" "+tt.flags, func(t *testing.T) { zeroWeightRefuses(t, c, tt.scheduler, tt.flags) })
	}
	for _, ops := range ops {
		t.Run(fmt.Sprintf("udp ops %v", ops), func(t *testing.T) { zeroWeightKeeps(t, c, ops) })
	}
}

// manyClients are so many that each scheduler that hashes sends some to either
// real server.
const manyClients = 16

func manyClient(i int) string { return fmt.Sprintf("10.0.4.%d", i+1) }

func addManyClients() error {
	eth0, err := netlink.LinkByName("eth0")
	if err != nil {
		return err
	}
	for i := range manyClients {
		addr, err := netlink.ParseAddr(manyClient(i) + "/16")
		if err != nil {
			return err
		}
		if err := netlink.AddrAdd(eth0, addr); err != nil {
			return err
		}
	}
	return nil
}

func zeroWeightRefuses(t *testing.T, c *cluster, scheduler, flags string) {
	option, words := "", ""
	if flags != "" {
		option, words = "    schedflags="+flags+"\n", " -b "+map[string]string{"flag-1": "sh-fallback"}[flags]
		if words == " -b " {
			words += flags
		}
	}
	use := func(first, second int) {
		c.use(fmt.Sprintf("virtual=VIP:80\n    real=RS1:80 gate %d\n    real=RS2:80 gate %d\n    scheduler=%s\n%s    checktype=on\n", first, second, scheduler, option),
			"-A -t 10.0.0.80:80 -s "+scheduler+words+"\n", fmt.Sprintf("-r 10.0.1.11:80 -g -w %d\n", first), fmt.Sprintf("-r 10.0.1.12:80 -g -w %d\n", second))
	}
	var refused [2]int // while rs1 has weight 0, and rs2
	for i := range refused {
		use(10, 10) // what begins with weight 0 is no part of the table of mh
		use(10*i, 10*(1-i))
		for client := range manyClients {
			if _, err := c.getAs(manyClient(client), 80); err != nil {
				refused[i]++
			}
		}
	}
	t.Logf("refused of %d clients: %d while rs1 has weight 0, %d while rs2 has", manyClients, refused[0], refused[1])
	v := &conf.VirtualService{Kernel: conf.Kernel{Scheduler: scheduler, SchedFlags: flags}}
	if got, said := refused[0]+refused[1] > 0, len(policy.ZeroWeightHazards(v, policy.DrainedZero, nil)) > 0; got != said {
		t.Errorf("clients are refused: %v, policy says %v", got, said)
	}
}

// zeroWeightKeeps has a UDP client go on sending from its port while its real
// server gets weight 0.
func zeroWeightKeeps(t *testing.T, c *cluster, ops bool) {
	for i := range 2 {
		defer c.echo(t, rs(i+1), "9000")()
	}
	use := func(first, second int) {
		option, word := "", ""
		if ops {
			option, word = "    ops=yes\n", " -o"
		}
		c.use(fmt.Sprintf("virtual=VIP:9000\n    protocol=udp\n    real=RS1:9000 gate %d\n    real=RS2:9000 gate %d\n    scheduler=rr\n%s    checktype=on\n", first, second, option),
			"-A -u 10.0.0.80:9000 -s rr"+word+"\n", fmt.Sprintf("-r 10.0.1.11:9000 -g -w %d\n", first), fmt.Sprintf("-r 10.0.1.12:9000 -g -w %d\n", second))
	}
	use(1, 0)
	var client net.PacketConn
	c.must(c.In("client", func() (err error) {
		client, err = new(net.ListenConfig).ListenPacket(context.Background(), "udp4", manyClient(0)+":0")
		return err
	}))
	defer client.Close()
	if got := asked(t, client); got != "rs1" {
		t.Fatalf("%s answers while only rs1 has a weight", got)
	}
	use(0, 1)
	kept := asked(t, client) == "rs1"
	v := &conf.VirtualService{Kernel: conf.Kernel{Scheduler: "rr", OPS: ops}, Protocol: conf.UDP, Policy: conf.Policy{Quiescent: true}}
	said := len(policy.ZeroWeightHazards(v, policy.Quiesced, func(string) string { return "1" })) > 0
	if kept != said {
		t.Errorf("the client stays with the real server of weight 0: %v, policy says %v", kept, said)
	}
}

// echo answers each datagram to the virtual address with the host's name.
func (c *cluster) echo(t *testing.T, ns, port string) (stop func()) {
	t.Helper()
	var conn net.PacketConn
	c.must(c.In(ns, func() (err error) {
		conn, err = new(net.ListenConfig).ListenPacket(context.Background(), "udp4", lab.VIP+":"+port)
		return err
	}))
	done := make(chan struct{})
	go func() {
		defer close(done)
		room := make([]byte, 64)
		for {
			_, from, err := conn.ReadFrom(room)
			if err != nil {
				return
			}
			_, _ = conn.WriteTo([]byte(ns), from)
		}
	}()
	return func() {
		conn.Close()
		<-done
	}
}

// asked sends datagrams to the virtual service until one is answered.
func asked(t *testing.T, client net.PacketConn) string {
	t.Helper()
	vip := &net.UDPAddr{IP: net.ParseIP(lab.VIP), Port: 9000}
	room := make([]byte, 64)
	for range 10 {
		if _, err := client.WriteTo([]byte("?"), vip); err != nil {
			t.Logf("sending: %v", err) // an answer to an earlier one may be that nothing listens
		}
		if err := client.SetReadDeadline(time.Now().Add(2 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if n, _, err := client.ReadFrom(room); err == nil {
			return string(room[:n])
		}
	}
	t.Fatal("no answer")
	return ""
}
