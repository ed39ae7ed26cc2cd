package ipvs

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vishvananda/netlink/nl"
)

func TestParseStats(t *testing.T) {
	old := join(
		attribute(1, nl.Uint32Attr(7)),
		attribute(4, nl.Uint64Attr(1<<33)),
		attribute(10, nl.Uint32Attr(9)),
		attribute(11, nl.Uint32Attr(1)), // not known
	)
	wide := join(attribute(1, nl.Uint64Attr(1<<40)), attribute(6, nl.Uint64Attr(5)))
	tests := map[string]struct {
		got, want Stats
	}{
		"32 bits":           {parseStats(old), Stats{Connections: 7, InBytes: 1 << 33, OutByteRate: 9}},
		"64 bits":           {parseStats(wide), Stats{Connections: 1 << 40, ConnectionRate: 5}},
		"nothing":           {parseStats(nil), Stats{}},
		"cut":               {parseStats(attribute(1, []byte{1, 2})), Stats{}},
		"service, both":     {parseEntry(join(attribute(serviceStats, old), attribute(serviceStats64, wide))).Stats, parseStats(wide)},
		"service, other":    {parseEntry(join(attribute(serviceStats64, wide), attribute(serviceStats, old))).Stats, parseStats(wide)},
		"destination, old":  {parseDestination(attribute(destinationStats, old), false).Stats, parseStats(old)},
		"destination, both": {parseDestination(join(attribute(destinationStats, old), attribute(destinationStats64, wide)), false).Stats, parseStats(wide)},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, tt.got); diff != "" {
				t.Errorf("counters (-want +got):\n%s", diff)
			}
		})
	}
}
