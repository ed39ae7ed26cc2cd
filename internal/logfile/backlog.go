package logfile

// Load returns the number of lines in the queues, and the number dropped because
// the queues were full. It may be called from any goroutine.
func (l *Log) Load() (waiting int, dropped uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	queues := []*queue{l.out.Load().queue}
	for _, q := range l.files {
		queues = append(queues, q)
	}
	for _, q := range queues {
		if q != nil {
			n, lost := q.load()
			waiting += n
			dropped += lost
		}
	}
	return waiting, dropped
}
