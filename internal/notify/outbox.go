package notify

import (
	"context"
	"errors"
	"sync"
	"time"
)

// retryPauses are how long is waited before a mail is tried again.
var retryPauses = [...]time.Duration{5 * time.Second, 20 * time.Second}

// An outbox sends letters, those of one server in order. A server that does
// not answer is tried a few times, reported once, and from then on once per
// letter until it takes one.
type outbox struct {
	send  func(ctx context.Context, l letter, encrypt bool) error
	log   func(format string, args ...any)
	lanes *lanes

	mu   sync.Mutex
	lost map[string]int // servers that are failing: how many letters are lost
}

func newOutbox(send func(context.Context, letter, bool) error, log func(string, ...any)) *outbox {
	return &outbox{send: send, log: log, lanes: newLanes(laneLength), lost: map[string]int{}}
}

// post has l sent and does not wait for it.
func (o *outbox) post(l letter) {
	if !o.lanes.do(l.server, func(ctx context.Context) { o.deliver(ctx, l) }) {
		o.lose(l.server, errTooMany)
	}
}

// crowd is how many mails may wait for a server before more are put together.
const crowd = 100

// crowded reports whether so many mails wait for a server that no more of them
// should be sent one by one.
func (o *outbox) crowded(server string) bool { return o.lanes.waitingIn(server) >= crowd }

var errTooMany = errors.New("too many mails wait already")

// deliver sends l, with some patience.
func (o *outbox) deliver(ctx context.Context, l letter) {
	err := o.send(ctx, l, true)
	for _, pause := range retryPauses {
		if err == nil || errors.Is(err, errRefused) || o.lanes.closing() || o.failing(l.server) {
			break
		}
		o.lanes.pause(pause)
		// In plain text this time: servers exist whose TLS nobody speaks.
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

// lose counts a letter that could not be sent. The first is reported.
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
