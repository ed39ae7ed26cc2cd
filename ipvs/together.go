package ipvs

// ApplyAll does changes to a table one after another, in their order and
// whatever comes of those before, and returns what Apply would for each. A table
// with a method ApplyAll has its own way: a Kernel's takes a fraction of the time.
func ApplyAll(t Table, changes []Change) []error {
	if own, ok := t.(interface{ ApplyAll([]Change) []error }); ok {
		return own.ApplyAll(changes)
	}
	errs := make([]error, len(changes))
	for i, c := range changes {
		errs[i] = t.Apply(c)
	}
	return errs
}

// togetherMost is how many changes travel together. If each is refused, the
// answers still fit into half of a socket's usual buffer.
const togetherMost = 100

// ApplyAll does what the function of this name says. Changes of destinations
// that follow one another travel together, a hundred in two system calls. If
// the kernel does not answer, the rest is not tried.
func (k *Kernel) ApplyAll(changes []Change) []error {
	errs := make([]error, 0, len(changes))
	for len(errs) < len(changes) {
		rest := changes[len(errs):]
		n := together(rest)
		if n < 2 {
			errs = append(errs, k.Apply(rest[0]))
			continue
		}
		answers, err := k.applyTogether(rest[:n])
		if err != nil {
			return append(errs, refuseAll(rest, err)...)
		}
		errs = append(errs, answers...)
	}
	return errs
}

// applyTogether does changes that may travel together. An error is that of all.
func (k *Kernel) applyTogether(changes []Change) (answers []error, err error) {
	err = k.use(func(l link) (err error) {
		answers, err = l.applyAll(changes)
		return err
	})
	if err != nil {
		return nil, err
	}
	for i, no := range answers {
		if no != nil {
			answers[i] = refuse(changes[i], no)
			continue
		}
		k.writes.Add(1)
	}
	return answers, nil
}

// together is how many changes, from the first on, may travel together: those
// of destinations that can be sent at all. Services travel alone: the kernel
// may load a module for each.
func together(changes []Change) int {
	changes = changes[:min(len(changes), togetherMost)]
	for i, c := range changes {
		if !c.ofDestination() || c.check() != nil {
			return i
		}
	}
	return len(changes)
}

func (c Change) ofDestination() bool {
	return c.Op == AddDestination || c.Op == EditDestination || c.Op == DeleteDestination
}

// refuseAll words an error that changes have met with together.
func refuseAll(changes []Change, err error) []error {
	errs := make([]error, len(changes))
	for i, c := range changes {
		errs[i] = refuse(c, err)
	}
	return errs
}
