package notify

// A Queue is how it stands with one of a Notifier's queues.
type Queue struct {
	Name    string
	Waiting int
	Dropped uint64
}

// Queues is how it stands with all queues. It may be called from any goroutine.
func (n *Notifier) Queues() []Queue {
	var list []Queue
	for _, q := range []struct {
		name  string
		lanes *lanes
	}{{"mail", n.outbox.lanes}, {"fallbackcommand", n.shell}, {"notify", n.hooks.lanes}} {
		waiting, dropped := q.lanes.load()
		list = append(list, Queue{Name: q.name, Waiting: waiting, Dropped: dropped})
	}
	return list
}
