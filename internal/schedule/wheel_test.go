package schedule

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWheel(t *testing.T) {
	var w wheel
	jobs := make([]*Job, 3000)
	for i := range jobs {
		jobs[i] = &Job{tick: int64(i*7) % 5000}
		w.put(jobs[i])
	}
	for i, j := range jobs {
		if i%3 == 0 {
			w.remove(j)
			w.remove(j) // twice is as good as once
		}
	}
	var got, want []int64
	for at := int64(-1); at < 5000; at += 13 {
		batch := w.take(nil, at, at+13)
		for _, j := range batch {
			got = append(got, j.tick)
		}
	}
	for i, j := range jobs {
		if i%3 != 0 {
			want = append(want, j.tick)
		}
		if j.linked() {
			t.Fatalf("job %d is still in the wheel", i)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("ticks taken (-want +got):\n%s", diff)
	}
}
