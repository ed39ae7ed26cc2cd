package ipvs

// Stats are the kernel's counters of a service or a destination, and its estimates
// of their rates. Kernels before 4.1 count most in 32 bits.
type Stats struct {
	Connections uint64 `json:"connections"`
	InPackets   uint64 `json:"in_packets"`
	OutPackets  uint64 `json:"out_packets"`
	InBytes     uint64 `json:"in_bytes"`
	OutBytes    uint64 `json:"out_bytes"`

	// Per second, averaged by the kernel over some seconds.
	ConnectionRate uint64 `json:"connection_rate"`
	InPacketRate   uint64 `json:"in_packet_rate"`
	OutPacketRate  uint64 `json:"out_packet_rate"`
	InByteRate     uint64 `json:"in_byte_rate"`
	OutByteRate    uint64 `json:"out_byte_rate"`
}

// The attributes of a service's and a destination's counters. Kernels since 4.1
// send both kinds.
const (
	serviceStats       = 10
	serviceStats64     = 12
	destinationStats   = 10
	destinationStats64 = 12
)

// fields are the counters in the order of their attributes, from 1 on
// (IPVS_STATS_ATTR_*).
func (s *Stats) fields() [10]*uint64 {
	return [...]*uint64{
		&s.Connections, &s.InPackets, &s.OutPackets, &s.InBytes, &s.OutBytes,
		&s.ConnectionRate, &s.InPacketRate, &s.OutPacketRate, &s.InByteRate, &s.OutByteRate,
	}
}

// parseStats reads the counters of either kind: the length of an attribute is 32 or
// 64 bits.
func parseStats(b []byte) Stats {
	var s Stats
	fields := s.fields()
	for typ, v := range attributes(b) {
		if typ < 1 || int(typ) > len(fields) {
			continue
		}
		if len(v) >= 8 {
			*fields[typ-1] = native64(v)
		} else {
			*fields[typ-1] = uint64(native32(v))
		}
	}
	return s
}
