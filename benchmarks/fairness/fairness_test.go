package fairness

import (
	"bytes"
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var small = Day{Nodes: 100, Queues: 6, Lasts: 4 * time.Hour}

func TestQueuesGetTheirFairShare(t *testing.T) {
	for seed := range uint64(2) {
		o := Simulate(small, seed+1)
		for q, s := range o.Shares {
			if off := math.Abs(s.Got - s.Fair); off > small.Bound() {
				t.Errorf("seed %d: queue %d had %.3f of all, should have had %.3f, and may be off by %.3f", seed+1, q, s.Got, s.Fair, small.Bound())
			}
		}
		if o.Busy < .5 || o.Busy > 1 || o.Lost >= o.Busy || o.Gangs == 0 {
			t.Errorf("seed %d: %+v", seed+1, o)
		}
	}
}

func TestEqualSeedsGiveEqualDays(t *testing.T) {
	d := Day{Nodes: 20, Queues: 3, Lasts: 2 * time.Hour}
	a, b, c := Simulate(d, 1), Simulate(d, 1), Simulate(d, 2)
	if a.Busy != b.Busy || a.Gangs != b.Gangs || a.Busy == c.Busy {
		t.Errorf("%+v, once more %+v, with another seed %+v", a, b, c)
	}
}

// Nobody has more than he wants, all is given out if somebody wants it, and who has less
// than he wants has as much by his weight as anybody.
func TestTheIdealIsFair(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 6).Draw(t, "queues")
		weights, wants := make([]float64, n), make([]float64, n)
		wanted, given := 0.0, 0.0
		for i := range n {
			weights[i], wants[i] = float64(rapid.IntRange(1, 5).Draw(t, "weight")), float64(rapid.IntRange(0, 100).Draw(t, "want"))/100
			wanted += wants[i]
		}
		const tiny = 1e-9
		out := ideal(weights, wants)
		for i := range n {
			given += out[i]
			if out[i] > wants[i]+tiny {
				t.Fatalf("%d wants %f of %v and has %f", i, wants[i], wants, out[i])
			}
			for k := range n {
				if out[i] < wants[i]-tiny && out[i]/weights[i] < out[k]/weights[k]-tiny {
					t.Fatalf("%d has less than %d: %v of %v by %v", i, k, out, wants, weights)
				}
			}
		}
		if math.Abs(given-min(wanted, 1)) > tiny {
			t.Fatalf("%v is given out of %v", out, wants)
		}
	})
}

// Who passes the first gang that waits moves no booking: only those do that run longer than
// they have said.
func TestNobodyMovesABookingButWhoOverruns(t *testing.T) {
	d := Day{Nodes: 30, Queues: 3, Lasts: 6 * time.Hour, Declared: 1, Depth: 100}
	strict := d
	strict.Depth = 0
	kept, none := Simulate(d, 1), Simulate(strict, 1)
	if kept.Overran+kept.Moved > 0 {
		t.Errorf("%d bookings moved as if somebody had overrun, and %d without a reason", kept.Overran, kept.Moved)
	}
	if kept.Busy <= none.Busy {
		t.Errorf("%.3f of all GPU time was used where some passed, and %.3f where none did", kept.Busy, none.Busy)
	}
	d.Overrun = .1
	if o := Simulate(d, 1); o.Overran == 0 || o.Moved > 0 {
		t.Errorf("bookings moved %d times because somebody overran, and %d times for other reasons", o.Overran, o.Moved)
	}
}

func TestTheCommandPrintsATable(t *testing.T) {
	var out bytes.Buffer
	c := NewCommand()
	c.SetArgs([]string{"--nodes=10", "--queues=2", "--seeds=2", "--lasts=1h"})
	c.SetOut(&out)
	if err := c.Execute(); err != nil {
		t.Fatal(err)
	}
	if lines := strings.Split(strings.TrimSpace(out.String()), "\n"); len(lines) != 6 || !strings.Contains(lines[0], "fair") {
		t.Errorf("printed\n%s", out.String())
	}
}

func TestTheCommandSaysWhatItCannotDo(t *testing.T) {
	c := NewCommand()
	c.SetArgs([]string{"--seeds=0"})
	c.SetOut(&bytes.Buffer{})
	c.SetErr(&bytes.Buffer{})
	if err := c.Execute(); err == nil || !strings.Contains(err.Error(), "all must be above 0") {
		t.Errorf("%v", err)
	}
}
