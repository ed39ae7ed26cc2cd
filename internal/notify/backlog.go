package notify

// A Queue is the load of one of a Notifier's queues.
type Queue struct {
	Name    string
	Waiting int
	Dropped uint64
}

// Queues returns the load of all queues. It may be called from any goroutine.
func (n *Notifier) Queues() []Queue {
	var list []Queue
	for _, q := range n.queues() {
		waiting, dropped := q.lanes.load()
		list = append(list, Queue{Name: q.name, Waiting: waiting, Dropped: dropped})
	}
	return list
}

// A queue is lanes and their name.
type queue struct {
	name  string
	lanes *lanes
}

func (n *Notifier) queues() []queue {
	return []queue{{"mail", n.outbox.lanes}, {"fallbackcommand", n.shell}, {"notify", n.hooks.lanes}}
}
