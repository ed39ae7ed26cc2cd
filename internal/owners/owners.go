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
	keepalivedOwns(found, keepalivedFile)
	pacemakerOwns(found, pacemakerFile)
	return found
}

// mostIncluded is how deep files may include others.
const mostIncluded = 4

// keepalivedOwns adds the addresses of the blocks virtual_ipaddress and virtual_ipaddress_excluded.
func keepalivedOwns(found map[netip.Addr]string, path string) {
	inside := false
	keepalivedWords(path, 0, func(path, word string, first bool) {
		switch {
		case word == "virtual_ipaddress" || word == "virtual_ipaddress_excluded":
			inside = true
		case word == "}":
			inside = false
		case inside && first:
			if addr, err := netip.ParseAddr(strings.Split(word, "/")[0]); err == nil {
				found[addr.Unmap()] = path
			}
		}
	})
}

// KeepalivedServes reports whether a keepalived with that command line keeps virtual services in the
// table of IPVS. One whose configuration cannot be read may do so.
func KeepalivedServes(arguments []string) bool {
	path := keepalivedFile
	for i, a := range arguments {
		switch file, long := strings.CutPrefix(a, "--use-file="); {
		case long:
			path = file
		case (a == "-f" || a == "--use-file") && i+1 < len(arguments):
			path = arguments[i+1]
		case a == "-P" || a == "--vrrp":
			return false
		}
	}
	serves := false
	read := keepalivedWords(path, 0, func(_, word string, first bool) { serves = serves || first && word == "virtual_server" })
	return serves || !read
}

// keepalivedWords calls f with the words of a configuration and of those that it includes, and whether
// each is the first of a line or behind a brace; braces are words. It reports whether the file could be read.
func keepalivedWords(path string, depth int, f func(path, word string, first bool)) bool {
	text, err := os.ReadFile(path)
	if err != nil || depth > mostIncluded {
		return false
	}
	for line := range strings.Lines(string(text)) {
		if i := strings.IndexAny(line, "#!"); i >= 0 {
			line = line[:i]
		}
		first := true
		for word := range strings.FieldsSeq(strings.NewReplacer("{", " { ", "}", " } ").Replace(line)) {
			f(path, word, first)
			first = word == "{"
		}
		if words := strings.Fields(line); len(words) == 2 && words[0] == "include" {
			pattern := words[1]
			if !filepath.IsAbs(pattern) {
				pattern = filepath.Join(filepath.Dir(path), pattern)
			}
			files, _ := filepath.Glob(pattern) // a wrong pattern is keepalived's to report
			for _, file := range files {
				keepalivedWords(file, depth+1, f)
			}
		}
	}
	return true
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
