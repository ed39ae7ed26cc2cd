package acceptance

import (
	"fmt"
	"testing"

	"github.com/ldirectord/ldirectord/internal/lab"
)

// TestClusterSchedulers spreads 300 connections over two real servers by each
// scheduler and pair of weights, and sees that it keeps its promise. Where all
// go to one, 50 show that.
func TestClusterSchedulers(t *testing.T) {
	t.Parallel()
	lab.Program(t, program)
	if !lab.Inside(t) {
		return
	}
	c := newCluster(t, lab.DR, 2, "virtual=VIP:9\n    real=RS1:9 gate\n    checktype=off\n")
	c.realServers(2, "--vip", lab.VIP)
	c.host("director", "director", "up")
	// A client that uses a port again is scheduled again, however its last
	// connection ended: 2 is for real servers whose answers the director does
	// not see.
	c.must(c.In("director", func() error { return sysctl("ipv4/vs/conn_reuse_mode", "3") }))
	c.start()
	tests := []struct {
		scheduler string
		weights   [2]int
		low, high int // how many connections rs1 may get
	}{
		{"rr", [2]int{6, 3}, 150, 150}, // turns, whatever the weights
		{"rr", [2]int{5, 2}, 150, 150},
		{"wrr", [2]int{6, 3}, 200, 200}, // by weight
		{"wrr", [2]int{5, 2}, 214, 215},
		// By the connections that stand: of those that have just ended each counts
		// one, so that with one client after another they are level, or by weight.
		{"lc", [2]int{6, 3}, 147, 153},
		{"lc", [2]int{5, 2}, 147, 153},
		{"wlc", [2]int{6, 3}, 197, 203},
		{"wlc", [2]int{5, 2}, 211, 218},
		// By one address, of the client or of the destination: all to one.
		{"sh", [2]int{6, 3}, -1, -1},
		{"sh", [2]int{5, 2}, -1, -1},
		{"dh", [2]int{6, 3}, -1, -1},
		{"dh", [2]int{5, 2}, -1, -1},
		{"lblc", [2]int{6, 3}, -1, -1},
		{"lblc", [2]int{5, 2}, -1, -1},
		{"lblcr", [2]int{6, 3}, -1, -1},
		{"lblcr", [2]int{5, 2}, -1, -1},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%s %d to %d", tt.scheduler, tt.weights[0], tt.weights[1]), func(t *testing.T) {
			c.use("virtual=VIP:9\n    real=RS1:9 gate\n    checktype=off\n", "-A -t 10.0.0.80:9")
			c.use(fmt.Sprintf("virtual=VIP:80\n    real=RS1:80 gate %d\n    real=RS2:80 gate %d\n    scheduler=%s\n    checktype=connect\n",
				tt.weights[0], tt.weights[1], tt.scheduler),
				"-A -t 10.0.0.80:80 -s "+tt.scheduler+"\n",
				fmt.Sprintf("-r 10.0.1.11:80 -g -w %d\n", tt.weights[0]), fmt.Sprintf("-r 10.0.1.12:80 -g -w %d\n", tt.weights[1]))
			connections := 300
			if tt.low < 0 {
				connections = 50
			}
			got := c.pages("http://"+lab.VIP+"/", connections)
			if got["rs1"]+got["rs2"] != connections {
				t.Fatalf("of %d connections: %v", connections, got)
			}
			if tt.low < 0 {
				if got["rs1"] != 0 && got["rs2"] != 0 {
					t.Errorf("one address is served by both: %v", got)
				}
				return
			}
			if got["rs1"] < tt.low || got["rs1"] > tt.high {
				t.Errorf("rs1 got %d of %d, want %d to %d", got["rs1"], connections, tt.low, tt.high)
			}
		})
	}
}
