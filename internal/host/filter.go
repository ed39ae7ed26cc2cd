package host

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"github.com/ldirectord/ldirectord/conf"
)

// A Filter is the program that controls this host's packet filter.
type Filter string

// The filters.
const (
	Iptables Filter = "iptables"
	NFTables Filter = "nft"
)

// nftTrial is input for a mere check by nft.
const nftTrial = "table " + nftTable + " { chain trial { type filter hook prerouting priority mangle; }; }\n"

// Filter is the one that this host uses: iptables where its tables are in use or
// nft is not installed or does not work, else nft.
func (h *Host) Filter(ctx context.Context) Filter {
	if !exists(find(string(NFTables))) {
		return Iptables
	}
	if exists(find(string(Iptables))) {
		for _, list := range []string{"ip_tables_names", "ip6_tables_names"} {
			if text, err := os.ReadFile(filepath.Join(h.machine.proc, "net", list)); err == nil && len(text) > 0 {
				return Iptables
			}
		}
		if _, err := h.machine.run(ctx, nftTrial, string(NFTables), "-c", "-f", "-"); err != nil {
			return Iptables // the program is there, but the kernel cannot do it
		}
	}
	return NFTables
}

// A Rule is one rule of iptables.
type Rule struct {
	Program string `json:"program"` // iptables or ip6tables
	Table   string `json:"table"`
	Chain   string `json:"chain"`
	Words   string `json:"words"` // separated by single blanks
}

// String implements Step.
func (r *Rule) String() string { return r.Program + " " + strings.Join(r.args("-A"), " ") }

func (r *Rule) args(verb string) []string {
	return append([]string{"-t", r.Table, verb, r.Chain}, strings.Fields(r.Words)...)
}

// look uses -C. Its status for a missing rule is also that of mistakes, which then
// show when the rule is added.
func (r *Rule) look(m *machine) (sight, error) {
	err := r.run(m, "-C")
	if errors.Is(err, errProgram) {
		return sight{}, nil
	}
	return sight{done: err == nil}, err
}

func (r *Rule) do(m *machine) error { return r.run(m, "-A") }

func (r *Rule) undo(m *machine, _ string) error {
	found, err := r.look(m)
	if err != nil || !found.done {
		return err
	}
	return r.run(m, "-D")
}

func (r *Rule) run(m *machine, verb string) error {
	_, err := m.run(m.context(), "", r.Program, append([]string{"-w", "10"}, r.args(verb)...)...)
	return err
}

// nftTable is the table of our own, in which each rule has a chain of its own:
// so it can be taken back without looking for it.
const nftTable = "inet ldirectord"

// A Chain is one rule of nftables.
type Chain struct {
	Name string `json:"name"`
	Type string `json:"type"` // follows "type": "filter hook prerouting priority mangle"
	Rule string `json:"rule"`
}

// String implements Step. The text is what nft -f takes.
func (c *Chain) String() string {
	return fmt.Sprintf("nft table %s { chain %s { type %s; %s; }; }", nftTable, c.Name, c.Type, c.Rule)
}

// look takes a chain of that name for the rule: the name contains the whole rule.
func (c *Chain) look(m *machine) (sight, error) {
	_, err := m.run(m.context(), "", string(NFTables), strings.Fields("list chain "+nftTable+" "+c.Name)...)
	if errors.Is(err, errProgram) {
		return sight{}, nil
	}
	return sight{done: err == nil}, err
}

func (c *Chain) do(m *machine) error {
	_, err := m.run(m.context(), strings.TrimPrefix(c.String(), "nft ")+"\n", string(NFTables), "-f", "-")
	return err
}

// undo takes the chain away, and the table with its last one.
func (c *Chain) undo(m *machine, _ string) error {
	found, err := c.look(m)
	if err != nil || !found.done {
		return err
	}
	chain := nftTable + " " + c.Name
	if _, err := m.run(m.context(), "flush chain "+chain+"\ndelete chain "+chain+"\n", string(NFTables), "-f", "-"); err != nil {
		return err
	}
	rest, err := m.run(m.context(), "", string(NFTables), strings.Fields("list table "+nftTable)...)
	if err == nil && !strings.Contains(rest, "chain") {
		_, err = m.run(m.context(), "", string(NFTables), strings.Fields("delete table "+nftTable)...)
	}
	return err
}

// markStep has the packets of one mark directive get the firewall mark.
func markStep(f Filter, mark uint32, m conf.Mark) Step {
	if f == NFTables {
		rule := fmt.Sprintf("%s daddr %s meta l4proto %s", nftFamily(m.Addr), m.Addr, m.Protocol)
		if len(m.Ports) > 0 {
			rule = fmt.Sprintf("%s daddr %s %s dport { %s }", nftFamily(m.Addr), m.Addr, m.Protocol, ports(m.Ports, "-", ", "))
		}
		return &Chain{
			Name: chainName(fmt.Sprintf("mark_%d_%s", mark, m)),
			Type: "filter hook prerouting priority mangle",
			Rule: fmt.Sprintf("%s meta mark set %d", rule, mark),
		}
	}
	words := fmt.Sprintf("-d %s -p %s", m.Addr, m.Protocol)
	switch {
	case len(m.Ports) == 1:
		words += " --dport " + ports(m.Ports, ":", ",")
	case len(m.Ports) > 1:
		words += " -m multiport --dports " + ports(m.Ports, ":", ",")
	}
	return &Rule{Program: iptablesFor(m.Addr), Table: "mangle", Chain: "PREROUTING", Words: fmt.Sprintf("%s -j MARK --set-mark %d", words, mark)}
}

// masqueradeStep has connections from a network leave with this host's address.
func masqueradeStep(f Filter, network netip.Prefix) Step {
	if f == NFTables {
		family := nftFamily(network.Addr())
		return &Chain{
			Name: chainName("masquerade_" + network.String()),
			Type: "nat hook postrouting priority srcnat",
			Rule: fmt.Sprintf("%s saddr %s %s daddr != %s masquerade", family, network, family, network),
		}
	}
	return &Rule{
		Program: iptablesFor(network.Addr()), Table: "nat", Chain: "POSTROUTING",
		Words: fmt.Sprintf("-s %s ! -d %s -j MASQUERADE", network, network),
	}
}

func iptablesFor(a netip.Addr) string {
	if a.Is6() {
		return "ip6tables"
	}
	return "iptables"
}

func nftFamily(a netip.Addr) string {
	if a.Is6() {
		return "ip6"
	}
	return "ip"
}

func ports(ranges []conf.PortRange, to, separator string) string {
	words := make([]string, len(ranges))
	for i, r := range ranges {
		words[i] = strings.Replace(r.String(), "-", to, 1)
	}
	return strings.Join(words, separator)
}

// chainName makes a name for nft of a text.
func chainName(text string) string {
	return strings.Trim(strings.Map(func(r rune) rune {
		switch {
		case r >= '0' && r <= '9', r >= 'a' && r <= 'z', r == '.', r == '-':
			return r
		}
		return '_'
	}, text), "_")
}
