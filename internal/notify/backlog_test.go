package notify

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ldirectord/ldirectord/conf"
)

func TestQueues(t *testing.T) {
	n := New(Options{Log: t.Logf}, &conf.Config{})
	gate, running := make(chan struct{}), make(chan struct{})
	n.shell.do("a", func(context.Context) { close(running); <-gate })
	<-running
	for range laneLength + 3 {
		n.shell.do("a", func(context.Context) {})
	}
	want := []Queue{{Name: "mail"}, {Name: "fallbackcommand", Waiting: laneLength, Dropped: 3}, {Name: "notify"}}
	if diff := cmp.Diff(want, n.Queues()); diff != "" {
		t.Errorf("queues (-want +got):\n%s", diff)
	}
	close(gate)
	n.Close(time.Time{})
}
