package ipvs

// ApplyAll makes changes to a table in their order, independent of each other's
// success, and returns the result of Apply for each. A table with a method ApplyAll
// implements it itself: a Kernel's takes a fraction of the time.
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

// togetherMost is the number of changes in one datagram. If each is refused, the
// answers still fit into half of a socket's usual buffer.
const togetherMost = 100

// ApplyAll implements the function of this name. Consecutive changes of
// destinations travel together, a hundred in two system calls. If the kernel does
// not answer, the rest is not tried.
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

// applyTogether makes changes that may travel together. The error applies to all.
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

// together is the number of changes, from the first on, that may travel together:
// valid changes of destinations. Services travel alone: the kernel may load a
// module for each.
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

// refuseAll words one error for each of the changes.
func refuseAll(changes []Change, err error) []error {
	errs := make([]error, len(changes))
	for i, c := range changes {
		errs[i] = refuse(c, err)
	}
	return errs
}
