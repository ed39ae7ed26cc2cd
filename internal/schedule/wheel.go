package schedule

// slots is the size of the wheel: 51 s of 50 ms ticks. Jobs further away share a
// slot with nearer ones and are skipped until their tick.
const slots = 1024

// A wheel holds jobs by the tick of their next start. Every operation on one job is a few
// pointer writes, whatever the number of jobs.
type wheel [slots]*Job

// linked reports whether the job is in a wheel. A slot's list is a ring: an only
// job is its own neighbour.
func (j *Job) linked() bool { return j.next != nil }

// put adds a job from outside the wheel, last in the slot of its tick.
func (w *wheel) put(j *Job) {
	head := &w[j.tick%slots]
	if *head == nil {
		*head, j.next, j.prev = j, j, j
		return
	}
	first, last := *head, (*head).prev
	j.next, j.prev = first, last
	last.next, first.prev = j, j
}

// remove takes a job out, if it is in.
func (w *wheel) remove(j *Job) {
	if !j.linked() {
		return
	}
	head := &w[j.tick%slots]
	if *head == j {
		*head = j.next
	}
	if *head == j { // it was alone
		*head = nil
	}
	j.prev.next, j.next.prev = j.next, j.prev
	j.next, j.prev = nil, nil
}

// take moves the jobs of the ticks after from, up to and including to, from the
// wheel to batch.
func (w *wheel) take(batch []*Job, from, to int64) []*Job {
	// One full round is enough for any delay.
	for tick := max(from, to-slots) + 1; tick <= to; tick++ {
		first := len(batch)
		for j := range w.slot(tick) {
			if j.tick <= to {
				batch = append(batch, j)
			}
		}
		for _, j := range batch[first:] {
			w.remove(j)
		}
	}
	return batch
}

// count returns how many jobs take would move.
func (w *wheel) count(from, to int64) int {
	n := 0
	for tick := max(from, to-slots) + 1; tick <= to; tick++ {
		for j := range w.slot(tick) {
			if j.tick <= to {
				n++
			}
		}
	}
	return n
}

// next returns the first tick in (from, to] that has a job, else to.
func (w *wheel) next(from, to int64) int64 {
	for tick := from + 1; tick < to; tick++ {
		for j := range w.slot(tick) {
			if j.tick == tick {
				return tick
			}
		}
	}
	return to
}

// slot iterates over the jobs of a slot, whatever their tick.
func (w *wheel) slot(tick int64) func(yield func(*Job) bool) {
	return func(yield func(*Job) bool) {
		head := w[tick%slots]
		for j := head; j != nil; {
			if !yield(j) {
				return
			}
			if j = j.next; j == head {
				return
			}
		}
	}
}
