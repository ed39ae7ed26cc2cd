package virtual

// place is where the first real server stands in the file that c asks for, 0 if
// it is for none any more.
func (c *Check) Place() uint64 {
	if len(c.Users) == 0 {
		return 0
	}
	r := c.Users[0]
	return uint64(r.Virtual.Order)<<32 | uint64(r.Order)
}
