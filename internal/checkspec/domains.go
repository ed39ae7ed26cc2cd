package checkspec

import (
	"os"
	"strings"
)

// resolverFile is where this host's resolver finds its search list; a variable for tests.
var resolverFile = "/etc/resolv.conf"

// searchDomains are what the original tries behind a name without a dot: the
// search list of resolv.conf, else its domain. A file that cannot be read has none.
func searchDomains() string {
	text, err := os.ReadFile(resolverFile)
	if err != nil {
		return ""
	}
	return domainsIn(string(text))
}

// domainsIn are the domains of a resolv.conf, separated by blanks.
func domainsIn(text string) string {
	var domain, search []string
	for line := range strings.Lines(text) {
		if i := strings.IndexAny(line, ";#"); i >= 0 {
			line = line[:i]
		}
		words := strings.Fields(line)
		switch {
		case len(words) < 2:
		case words[0] == "domain":
			domain = words[1:2]
		case words[0] == "search":
			search = append(search, words[1:]...)
		}
	}
	if search == nil {
		search = domain
	}
	var domains []string
	for _, d := range search {
		if d = strings.Trim(d, "."); d != "" { // "search ." is no domain
			domains = append(domains, d)
		}
	}
	return strings.Join(domains, " ")
}
