package lab

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"strings"
)

// In runs f on a thread of its own in a namespace: what f opens belongs there.
// Goroutines that f starts do not.
func (n *Net) In(ns string, f func() error) error {
	s, err := n.space(ns)
	if err != nil {
		return err
	}
	return s.do(f)
}

// Command is exec.Command for a namespace. The process is killed, if it still
// runs, when the test ends.
func (n *Net) Command(ns, name string, args ...string) *exec.Cmd {
	n.t.Helper()
	s, err := n.space(ns)
	n.check("running "+name, err)
	// A process more, but "ip netns exec" would mount /sys anew besides.
	enter := []string{"--net=/run/netns/" + s.name, "--", name}
	if s.machine != "" {
		enter = []string{"-t", s.machine, "-m", "-n", "-p", "-u", "-i", "-r", "-w", "--", name}
	}
	return exec.CommandContext(n.t.Context(), "nsenter", append(enter, args...)...)
}

// Output runs a command in a namespace and returns its standard output and error.
// If it fails, so does the test.
func (n *Net) Output(ns, name string, args ...string) string {
	n.t.Helper()
	return n.run(ns, "", name, args...)
}

// Ipvsadm runs ipvsadm commands in the director's namespace, one on a line as
// "ipvsadm -R" reads them: "-A -t 10.0.0.80:80 -s rr".
func (n *Net) Ipvsadm(lines string) {
	n.t.Helper()
	n.run("director", lines, "ipvsadm", "-R")
}

// Table is the director's table as "ipvsadm -Sn" prints it.
func (n *Net) Table() string {
	n.t.Helper()
	return n.Output("director", "ipvsadm", "-Sn")
}

func (n *Net) run(ns, input, name string, args ...string) string {
	n.t.Helper()
	cmd := n.Command(ns, name, args...)
	cmd.Stdin = strings.NewReader(input)
	out, err := cmd.CombinedOutput()
	if err != nil {
		n.t.Fatalf("lab: in %s: %s %s: %v\n%s", ns, name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// Dial opens a connection from a namespace to an address, which must be a
// number.
func (n *Net) Dial(ctx context.Context, ns, network, address string) (conn net.Conn, err error) {
	err = n.In(ns, func() (err error) {
		var d net.Dialer
		conn, err = d.DialContext(ctx, network, address)
		return err
	})
	return conn, err
}

// Listen listens in a namespace.
func (n *Net) Listen(ns, network, address string) (l net.Listener, err error) {
	err = n.In(ns, func() (err error) {
		l, err = net.Listen(network, address)
		return err
	})
	return l, err
}

func (n *Net) space(ns string) (*space, error) {
	s, ok := n.spaces[ns]
	if !ok {
		return nil, fmt.Errorf("no namespace %q among %v", ns, n.names())
	}
	return s, nil
}
