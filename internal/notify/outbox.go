package notify

import (
	"context"
	"errors"
	"sync"
	"time"
)

// retryPauses are the pauses before a mail is tried again.
var retryPauses = [...]time.Duration{5 * time.Second, 20 * time.Second}

// An outbox sends letters, those of one server in order. A server that does not
// answer is retried a few times and reported once; after that each letter is tried
// once until the server accepts one.
type outbox struct {
	send  func(ctx context.Context, l letter, encrypt bool) error
	log   func(format string, args ...any)
	lanes *lanes

	mu   sync.Mutex
	lost map[string]int // failing servers and their number of lost letters
}

func newOutbox(send func(context.Context, letter, bool) error, log func(string, ...any)) *outbox {
	return &outbox{send: send, log: log, lanes: newLanes(laneLength), lost: map[string]int{}}
}

// post queues l and does not wait for it.
func (o *outbox) post(l letter) {
	if !o.lanes.do(l.server, func(ctx context.Context) { o.deliver(ctx, l) }) {
		o.lose(l.server, errTooMany)
	}
}

// crowd is the number of mails that may wait for a server before further ones are
// grouped.
const crowd = 100

// crowded reports whether a crowd of mails waits for a server.
func (o *outbox) crowded(server string) bool { return o.lanes.waitingIn(server) >= crowd }

var errTooMany = errors.New("too many mails wait already")

// deliver sends l, with retries.
func (o *outbox) deliver(ctx context.Context, l letter) {
	err := o.send(ctx, l, true)
	for _, pause := range retryPauses {
		if err == nil || errors.Is(err, errRefused) || o.lanes.closing() || o.failing(l.server) {
			break
		}
		o.lanes.pause(pause)
		// In plain text this time: some servers offer TLS that no client can use.
		err = o.send(ctx, l, false)
	}
	if err != nil {
		o.lose(l.server, err)
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if n := o.lost[l.server]; n > 0 {
		o.log(lineWorks, n)
	}
	delete(o.lost, l.server)
}

func (o *outbox) failing(server string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.lost[server] > 0
}

// lose counts a lost letter and reports the first.
func (o *outbox) lose(server string, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.lost[server]++
	if o.lost[server] > 1 {
		return
	}
	if server == "" {
		o.log(lineFailedLocal, err)
		return
	}
	o.log(lineFailed, err)
}
