package engine

// A Load is the load of an Engine.
type Load struct {
	Talks     int // running Talkers
	Calls     int // running Callers
	Waiting   int // checks that wait for a free slot
	Abandoned int // Callers that did not end by their deadline and have not yet
}

// Load returns the present load.
func (e *Engine) Load() Load {
	e.mu.Lock()
	defer e.mu.Unlock()
	return Load{
		Talks:     e.talks,
		Calls:     len(e.calls),
		Waiting:   len(e.queue) + int(e.waiting.Load()),
		Abandoned: int(e.abandoned.Load()),
	}
}
