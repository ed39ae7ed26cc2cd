// Package owners knows which virtual addresses belong to another program of this host, by the
// configuration of that program.
package owners

import (
	"encoding/xml"
	"errors"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
)

// The configurations of programs that have virtual addresses of their own.
const (
	keepalivedFile = "/etc/keepalived/keepalived.conf"
	pacemakerFile  = "/var/lib/pacemaker/cib/cib.xml"
)

// Addresses are those that keepalived's or Pacemaker's configuration has, with the file. What cannot
// be read has none.
func Addresses() map[netip.Addr]string {
	found := map[netip.Addr]string{}
	keepalivedOwns(found, keepalivedFile, 0)
	pacemakerOwns(found, pacemakerFile)
	return found
}

// mostIncluded is how deep files may include others.
const mostIncluded = 4

// keepalivedOwns adds the addresses of the blocks virtual_ipaddress and virtual_ipaddress_excluded.
func keepalivedOwns(found map[netip.Addr]string, path string, depth int) {
	text, err := os.ReadFile(path)
	if err != nil || depth > mostIncluded {
		return
	}
	inside := false
	for line := range strings.Lines(string(text)) {
		if i := strings.IndexAny(line, "#!"); i >= 0 {
			line = line[:i]
		}
		first := true // of a line, or behind a brace
		for word := range strings.FieldsSeq(strings.NewReplacer("{", " { ", "}", " } ").Replace(line)) {
			switch {
			case word == "virtual_ipaddress" || word == "virtual_ipaddress_excluded":
				inside = true
			case word == "{":
				first = true
				continue
			case word == "}":
				inside = false
			case inside && first:
				if addr, err := netip.ParseAddr(strings.Split(word, "/")[0]); err == nil {
					found[addr.Unmap()] = path
				}
			}
			first = false
		}
		if f := strings.Fields(line); len(f) == 2 && f[0] == "include" {
			pattern := f[1]
			if !filepath.IsAbs(pattern) {
				pattern = filepath.Join(filepath.Dir(path), pattern)
			}
			files, _ := filepath.Glob(pattern) // a wrong pattern is keepalived's to report
			for _, file := range files {
				keepalivedOwns(found, file, depth+1)
			}
		}
	}
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
			if !errors.Is(err, io.EOF) {
				return // what was read so far counts
			}
			return
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
