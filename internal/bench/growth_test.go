package bench

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"
)

// few measures the cost of very few checks, and how soon
// faults are noticed then.
func (c *comparison) few() {
	for _, p := range c.peers {
		if p.slow {
			continue
		}
		c.session(p, work{kind: "http", n: small}, func(s *session) {
			for range windows {
				slept, began := s.sleeps(), time.Now()
				pause(window)
				s.add(sectionIdle, s.work.title(), times(1, "keepalived"), float64(s.sleeps()-slept)/time.Since(began).Seconds())
			}
			s.faults()
		})
	}
}

// The measured figures, by the names of their rows.
const (
	growthCPU    = "CPU of a check (µs)"
	growthMemory = "memory (PSS, MB)"
)

// growing are numbers of real servers that are checked every ten seconds: a
// hundred, a thousand and ten thousand checks a second.
func growing() []int { return []int{most / 10, most, 10 * most} }

// growth measures ours with more and more real servers. The goal for the many is
// what a check costs with few.
func (c *comparison) growth() {
	var limit, memory goal
	for _, n := range growing() {
		if n > most {
			memory = atMost(200)
		}
		c.session(c.peers[0], work{kind: "http", n: n, interval: 10}, func(s *session) {
			s.grown(limit, memory)
			if n > most {
				s.punctualSlowly()
			}
		})
		if limit == nil {
			limit = c.flat()
		}
	}
}

// grown measures one number of real servers.
func (s *session) grown(limit, memory goal) {
	name := fmt.Sprintf("%d real servers: ", s.work.n)
	s.forget()
	for range windows {
		used, before := s.cpu(), s.asked(s.work.n).Total
		pause(window)
		asked := s.asked(s.work.n).Total - before
		s.add(sectionGrowth, name+growthCPU, limit, float64((s.cpu()-used).Nanoseconds())/1e3/float64(max(asked, 1)))
		s.add(sectionGrowth, name+growthMemory, memory, s.pss())
	}
}

// punctualSlowly notes how far apart checks are that come every ten seconds.
func (s *session) punctualSlowly() {
	for end := time.Now().Add(2 * patience); s.asked(s.work.n).Fewest < 2 && time.Now().Before(end); {
		pause(window / 8)
	}
	v := s.asked(s.work.n)
	name := fmt.Sprintf("%d real servers: between two checks, mean / worst (s)", s.work.n)
	s.add(sectionGrowth, name, atMost(10.05), v.Mean.Seconds(), v.Worst.Seconds())
}

// flat is the goal to cost no more than a tenth above the first of growing.
func (c *comparison) flat() goal {
	for _, row := range c.rows {
		if row.section == sectionGrowth {
			first := medianOf(row.cells[c.columns[0]])
			return func(map[string]float64) (float64, string) { return 1.1 * first[0], "1.1 × the first" }
		}
	}
	return nil
}

// memory measures for a while whether a program at work needs more and more.
func (s *session) memory(long time.Duration) {
	var at, mb []float64
	for began := time.Now(); time.Since(began) < long; pause(long / 60) {
		at, mb = append(at, time.Since(began).Hours()), append(mb, s.pss())
	}
	name := fmt.Sprintf("%s, during %v", s.work.title(), long)
	s.add(sectionMemory, name+": at first / at last", nil, mb[0], mb[len(mb)-1])
	if long < time.Hour {
		s.add(sectionMemory, name+": growth in a minute", nil, slope(at, mb)/60)
		return
	}
	s.add(sectionMemory, name+": growth in an hour", atMost(1), slope(at, mb))
}

// hours measures flat memory for as long as BENCH_HOURS says.
func (c *comparison) hours() {
	hours, err := strconv.ParseFloat(os.Getenv("BENCH_HOURS"), 64)
	if err != nil {
		return
	}
	long := time.Duration(hours * float64(time.Hour))
	c.until = time.Now().Add(long)
	c.session(c.peers[0], work{kind: "http", n: most}, func(s *session) { s.memory(long) })
}

// slope is that of the straight line nearest to the points.
func slope(x, y []float64) float64 {
	var sumX, sumY, sumXX, sumXY float64
	for i := range x {
		sumX += x[i]
		sumY += y[i]
		sumXX += x[i] * x[i]
		sumXY += x[i] * y[i]
	}
	n := float64(len(x))
	if d := n*sumXX - sumX*sumX; d != 0 {
		return (n*sumXY - sumX*sumY) / d
	}
	return 0
}

func TestSlope(t *testing.T) {
	tests := []struct {
		name string
		x, y []float64
		want float64
	}{
		{"nothing", nil, nil, 0},
		{"one point", []float64{1}, []float64{5}, 0},
		{"flat", []float64{0, 1, 2}, []float64{7, 7, 7}, 0},
		{"a line", []float64{0, 1, 2}, []float64{1, 3, 5}, 2},
		{"about a line", []float64{0, 1, 2, 3}, []float64{0, 2, 2, 4}, 1.2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := slope(tt.x, tt.y); got < tt.want-1e-9 || got > tt.want+1e-9 {
				t.Errorf("slope(%v, %v) = %v, want %v", tt.x, tt.y, got, tt.want)
			}
		})
	}
}
