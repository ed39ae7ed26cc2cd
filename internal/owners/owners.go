// Package owners knows which virtual addresses belong to another program of this host, by the
// configuration of that program.
package owners

import (
	"cmp"
	"encoding/xml"
	"net/netip"
	"os"
	"strings"

	"github.com/ldirectord/ldirectord/internal/keepalived"
)

// pacemakerFile is the configuration of Pacemaker.
const pacemakerFile = "/var/lib/pacemaker/cib/cib.xml"

// Addresses are those that keepalived's or Pacemaker's configuration has, with the file. What cannot
// be read has none.
func Addresses() map[netip.Addr]string {
	found := Keepalived()
	pacemakerOwns(found, pacemakerFile)
	return found
}

// Keepalived are those that keepalived's configuration has, as Addresses.
func Keepalived() map[netip.Addr]string {
	found := map[netip.Addr]string{}
	keepalivedOwns(found, keepalived.File)
	return found
}

// keepalivedOwns adds the addresses of the blocks virtual_ipaddress and virtual_ipaddress_excluded.
func keepalivedOwns(found map[netip.Addr]string, path string) {
	root, err := keepalived.Read(keepalived.Source{Path: path, ID: keepalived.HostID()})
	if err != nil {
		return
	}
	for n := range root.Within() {
		if n.Name() != "virtual_ipaddress" && n.Name() != "virtual_ipaddress_excluded" {
			continue
		}
		for _, line := range n.Block {
			if addr, err := netip.ParseAddr(strings.Split(line.Name(), "/")[0]); err == nil {
				found[addr.Unmap()] = cmp.Or(n.Line.File, path)
			}
		}
	}
}

// KeepalivedServes reports whether a keepalived with that command line keeps virtual services in the
// table of IPVS. One whose configuration cannot be read may do so.
func KeepalivedServes(arguments []string) bool {
	from := keepalived.Source{Path: keepalived.File, ID: keepalived.HostID()}
	for i, a := range arguments {
		option, value, given := strings.Cut(a, "=")
		if len(a) > 2 && a[0] == '-' && a[1] != '-' { // -fFILE
			option, value, given = a[:2], a[2:], true
		}
		if !given && i+1 < len(arguments) {
			value = arguments[i+1]
		}
		switch option {
		case "-f", "--use-file":
			from.Path = value
		case "-i", "--config-id":
			from.ID = value
		case "-P", "--vrrp":
			return false
		}
	}
	root, err := keepalived.Read(from)
	return err != nil || root.Has("virtual_server")
}

// pacemakerOwns adds the values of the attributes "ip" of resources.
func pacemakerOwns(found map[netip.Addr]string, path string) {
	file, err := os.Open(path)
	if err != nil {
		return
	}
	defer file.Close()
	for d := xml.NewDecoder(file); ; {
		token, err := d.Token()
		if err != nil {
			return // at its end, or at a mistake: the addresses before it count
		}
		element, ok := token.(xml.StartElement)
		if !ok || element.Name.Local != "nvpair" {
			continue
		}
		name, value := "", ""
		for _, attribute := range element.Attr {
			switch attribute.Name.Local {
			case "name":
				name = attribute.Value
			case "value":
				value = attribute.Value
			}
		}
		if addr, err := netip.ParseAddr(strings.Split(value, "/")[0]); err == nil && (name == "ip" || name == "ipv6addr") {
			found[addr.Unmap()] = path
		}
	}
}
