package ipvs

import (
	"testing"

	"golang.org/x/sys/unix"
)

// FuzzNetlink has the kernel answer with any datagram: short, nested, of wrong lengths.
// Reading it ends, and the result lies within the datagram.
func FuzzNetlink(f *testing.F) {
	f.Add([]byte{})
	f.Add(listed(1, attribute(attrService, attribute(serviceAddress, []byte{10, 0, 0, 1}))))
	f.Add(listed(1, attribute(attrDestination, attribute(destinationWeight, []byte{1}))))
	f.Add(append(listed(1, attribute(attrDestination, nil)), finished(1)...))
	f.Add(finished(1)[:17])
	f.Add([]byte{17, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1})
	f.Add([]byte{255, 255, 255, 255, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, datagram []byte) {
		size := 0
		for m := range messages(datagram) {
			size += unix.SizeofNlMsghdr + len(m.body)
			_, _ = m.verdict()
			for _, value := range attributes(m.body[min(4, len(m.body)):]) {
				_ = parseEntry(value).Service.String()
				_ = parseDestination(value, len(value)%2 == 0).String()
				for _, nested := range attributes(value) {
					_ = parseStats(nested)
				}
			}
		}
		if size > len(datagram) {
			t.Errorf("%d bytes were read of a datagram of %d", size, len(datagram))
		}
	})
}
