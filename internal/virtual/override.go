package virtual

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/ldirectord/ldirectord/internal/report"
)

func (r *Real) Target() report.Target { return report.Target{Virtual: r.Virtual.ID, Real: r.Name()} }

func (v *Service) Called(name string) bool {
	return name == v.ID || name == v.Name || name == v.Conf.Name
}

func (r *Real) Called(name string) bool {
	if name == r.Conf.Host || name == r.Name() {
		return true
	}
	if a, err := netip.ParseAddr(strings.Trim(name, "[]")); err == nil {
		return a.Unmap() == r.Conf.Addr
	}
	host, port, ok := strings.Cut(name, ":")
	return ok && host == r.Conf.Host && port == strconv.Itoa(int(r.Conf.Port))
}
