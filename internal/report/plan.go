package report

// A Plan is what a reload or a start would change in the kernel.
type Plan struct {
	Changes []string  `json:"changes"` // as ipvsadm takes them
	LeftOut []LeftOut `json:"left_out,omitempty"`
}

// LeftOut is a change that the file asks for and that is not made.
type LeftOut struct {
	Change string `json:"change"` // as ipvsadm takes it, or the virtual service of which nothing is changed
	Reason string `json:"reason"`
}

// String is the line of a plan for people, which is a comment to ipvsadm-restore.
func (l LeftOut) String() string { return "# left out: " + l.Change + ": " + l.Reason }
