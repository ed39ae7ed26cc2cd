package bench

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The sections of the report, in their order.
const (
	sectionCPU     = "CPU of a check (µs)"
	sectionTime    = "On time: between two checks of a healthy server, mean / worst (s)"
	sectionDetect  = "From the fault to the change of the table, first / median / last (s)"
	sectionRecover = "From the end of the fault to the change of the table, first / median / last (s)"
	sectionMemory  = "Memory (PSS, MB)"
	sectionStart   = "Start (s)"
	sectionGrowth  = "Growth: each real server asked by http every 10 s"
	sectionIdle    = "Nearly idle: times a second that a thread goes to sleep"
	sectionReload  = "Reload (s)"
	sectionKernel  = "The kernel's table, on user-mode Linux (s)"
	sectionMillion = "The schedule alone: 1,000,000 real servers, every 10 s"
)

var sections = []string{
	sectionCPU, sectionTime, sectionDetect, sectionRecover, sectionMemory, sectionStart,
	sectionGrowth, sectionIdle, sectionReload, sectionKernel, sectionMillion,
}

// The columns that are no programs but what the machine needs at least.
const floorName = "floor"

// A goal is the limit for ours, from the medians of all in the row, and in
// words where it comes from. Infinite is none.
type goal func(medians map[string]float64) (limit float64, from string)

// atMost is a goal as a number.
func atMost(limit float64) goal {
	return func(map[string]float64) (float64, string) { return limit, "" }
}

// times is a goal as a multiple of another figure.
func times(factor float64, of string) goal {
	return func(medians map[string]float64) (float64, string) {
		other, ok := medians[of]
		if !ok || other == 0 {
			return math.Inf(1), ""
		}
		return factor * other, number(factor) + " × " + of
	}
}

// both is the stricter of two goals.
func both(a, b goal) goal {
	return func(medians map[string]float64) (float64, string) {
		limitA, fromA := a(medians)
		limitB, fromB := b(medians)
		if limitB < limitA {
			return limitB, fromB
		}
		return limitA, fromA
	}
}

// cheap are the goals of a check's CPU.
var cheap = map[string]goal{
	"connect": both(times(0.6, "keepalived"), times(1.3, floorName)),
	"http":    both(times(0.8, "keepalived"), times(1.4, floorName)),
	"https":   times(1.2, floorName),
}

// inTime is the goal for the last one that has a fault: an interval, the
// timeout where there is something to wait for, and a tenth.
func inTime(fault Fault) goal {
	if fault == Refused {
		return atMost(1.1)
	}
	return atMost(3.1)
}

func TestReport(t *testing.T) {
	r := &report{columns: []string{"ours", "keepalived", floorName}}
	for _, n := range []float64{3, 1, 2} {
		r.add(sectionCPU, "connect", "ours", cheap["connect"], n)
	}
	r.add(sectionCPU, "connect", "keepalived", nil, 4)
	r.add(sectionCPU, "connect", floorName, nil, 1)
	r.add(sectionDetect, "gone", "ours", inTime(BlackHole), 0.5, 1, 12)
	r.add(sectionMemory, "some", "ours", atMost(3), 2.5)
	r.add(sectionMemory, "none of ours", "keepalived", atMost(3), 2.5)
	r.add(sectionMemory, "never", "ours", atMost(3), math.Inf(1))
	want := "## " + sectionCPU + `

| | ours | keepalived | floor | ÷ keepalived | ÷ floor | goal | |
|---|---|---|---|---|---|---|---|
| connect | 2.00 (1.00–3.00) | 4.00 | 1.00 | 0.50 | 2.00 | ≤ 1.30 = 1.30 × floor | **missed** |

## ` + sectionDetect + `

| | ours | goal | |
|---|---|---|---|
| gone | 0.50 / 1.00 / 12.0 | ≤ 3.10 | **missed** |

## ` + sectionMemory + `

| | ours | keepalived | ÷ keepalived | goal | |
|---|---|---|---|---|---|
| some | 2.50 | – |  | ≤ 3.00 | met |
| none of ours | – | 2.50 |  |  |  |
| never | not seen | – |  | ≤ 3.00 | **missed** |

`
	if diff := cmp.Diff(want, r.String()); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
}
