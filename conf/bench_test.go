package conf

import (
	"fmt"
	"strings"
	"testing"
)

// farm is a file with 10,000 real servers in 500 virtual services.
func farm() []byte {
	var b strings.Builder
	b.WriteString("checktimeout=3\ncheckinterval=1\nquiescent=no\nfallback=127.0.0.1:80\n")
	for v := range 500 {
		fmt.Fprintf(&b, "virtual=10.0.%d.%d:80\n", v/250, v%250)
		for r := range 20 {
			fmt.Fprintf(&b, "\treal=10.1.%d.%d:80 masq %d \"ok.html\", \"OK\"\n", v/8, v%8*20+r, r+1)
		}
		b.WriteString("\tservice=http\n\tscheduler=wlc\n\tprotocol=tcp\n\trequest=\"index.html\"\n\treceive=\"Welcome\"\n\n")
	}
	return []byte(b.String())
}

func BenchmarkParse(b *testing.B) {
	text := farm()
	b.ReportAllocs()
	for b.Loop() {
		c, err := Parse("t.cf", text, testOptions())
		if err != nil || len(c.Virtuals) != 500 {
			b.Fatal(err)
		}
	}
}

// BenchmarkParseOneService has all 10,000 real servers in one virtual service.
func BenchmarkParseOneService(b *testing.B) {
	var text strings.Builder
	text.WriteString("virtual=10.0.0.1:80\n")
	for r := range 10000 {
		fmt.Fprintf(&text, "\treal=10.%d.%d.%d:80 gate\n", r/10000, r/100%100, r%100)
	}
	for b.Loop() {
		c, err := Parse("t.cf", []byte(text.String()), testOptions())
		if err != nil || len(c.Virtuals[0].Reals) != 10000 {
			b.Fatal(err)
		}
	}
}
