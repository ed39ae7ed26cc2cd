package ipvs

// Same reports whether two services are the same to the kernel: the same key and
// settings with the same effect. FlagHashed is the kernel's own; without
// persistence the timeout and the netmask have no effect.
func (s Service) Same(o Service) bool {
	return s.effective() == o.effective()
}

// effective is the service without settings that have no effect.
func (s Service) effective() Service {
	s.Flags &= flagsWritten
	if s.Flags&FlagPersistent == 0 {
		s.Timeout, s.Netmask = 0, 0
	}
	return s
}

// Same reports whether two destinations are the same to the kernel: address, port,
// forwarding method, weight and thresholds; the counters do not matter. Local
// equals any other method, since kernels before 2.6.37 change the method of a local
// address to it.
func (d Destination) Same(o Destination) bool {
	if d.Forward == Local || o.Forward == Local {
		d.Forward, o.Forward = Local, Local
	}
	return d.AddrPort == o.AddrPort && d.Forward == o.Forward && d.Weight == o.Weight &&
		d.Upper == o.Upper && d.Lower == o.Lower
}
