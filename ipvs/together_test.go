package ipvs

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// deletions are changes that may travel together.
func deletions(n int) []Change {
	list := make([]Change, n)
	for i := range list {
		list[i] = do(DeleteDestination, web, destination(fmt.Sprintf("10.1.%d.%d:80", i/250, i%250), Masq, 1)).change
	}
	return list
}

func TestTogether(t *testing.T) {
	good, service := deletions(1)[0], do(AddService, web).change
	bad := do(AddDestination, web, destination("10.1.0.1:80", Masq, -1)).change
	tests := map[string]struct {
		changes []Change
		want    int
	}{
		"none":                       {nil, 0},
		"one":                        {[]Change{good}, 1},
		"a service first":            {[]Change{service, good}, 0},
		"up to a service":            {[]Change{good, good, service, good}, 2},
		"up to what cannot be sent":  {[]Change{good, good, good, bad}, 3},
		"what cannot be sent, first": {[]Change{bad, good}, 0},
		"as many as travel together": {deletions(togetherMost), togetherMost},
		"more":                       {deletions(togetherMost + 1), togetherMost},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := together(tt.changes); got != tt.want {
				t.Errorf("%d changes travel together, want %d", got, tt.want)
			}
		})
	}
}

// Each part has one refusal, by a link that refuses the first of those that
// travel together.
func TestApplyAll(t *testing.T) {
	k := kernelOver(newFakeLink(syscall.ENOENT, false))
	errs := k.ApplyAll(deletions(2*togetherMost + 50))
	var refused []string
	for i, err := range errs {
		if err != nil {
			refused = append(refused, fmt.Sprint(i, " ", err))
		}
	}
	want := []string{
		"0 -d -t 10.0.0.1:80 -r 10.1.0.0:80: no such destination",
		"100 -d -t 10.0.0.1:80 -r 10.1.0.100:80: no such destination",
		"200 -d -t 10.0.0.1:80 -r 10.1.0.200:80: no such destination",
	}
	if diff := cmp.Diff(want, refused); diff != "" {
		t.Errorf("refused (-want +got):\n%s", diff)
	}
	if k.Writes() != 247 || len(errs) != 250 {
		t.Errorf("%d writes are counted, 247 were made; %d answers to 250 changes", k.Writes(), len(errs))
	}
	if errs := k.ApplyAll(nil); len(errs) != 0 {
		t.Errorf("%d answers to no change", len(errs))
	}
}

// A kernel that hangs is not waited for again with each hundred changes.
func TestApplyAllEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		changes := deletions(1000)
		k := kernelOver(newFakeLink(nil, true), newFakeLink(nil, false))
		start := time.Now()
		errs := k.ApplyAll(changes)
		if took := time.Since(start); took != answerLimit || len(errs) != len(changes) {
			t.Errorf("%d answers to %d changes took %v, want %v", len(errs), len(changes), took, answerLimit)
		}
		for i, err := range errs {
			if want := changes[i].String() + ": the kernel did not answer within 5s"; errorText(err) != want {
				t.Fatalf("change %d: got error %q, want %q", i, errorText(err), want)
			}
		}
		if err := errors.Join(k.ApplyAll(changes)...); err != nil || k.Writes() != 1000 {
			t.Errorf("with a link that answers: %v, %d writes", err, k.Writes())
		}
	})
}

// A table without ApplyAll gets one change after another.
func TestApplyAllOfAPlainTable(t *testing.T) {
	d := destination("10.1.0.1:80", Masq, 1)
	m := NewMemory()
	errs := ApplyAll(struct{ Table }{m}, []Change{do(AddDestination, web, d).change, do(AddService, web).change, do(AddDestination, web, d).change})
	if len(errs) != 3 || errs[1] != nil || errs[2] != nil || !strings.HasSuffix(errorText(errs[0]), "no such service") {
		t.Errorf("got %v", errs)
	}
	if want := "-A -t 10.0.0.1:80 -s wrr\n-a -t 10.0.0.1:80 -r 10.1.0.1:80 -m -w 1\n"; m.String() != want {
		t.Errorf("table: got %q, want %q", m.String(), want)
	}
}
