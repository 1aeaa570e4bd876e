package audit_test

import (
	"math"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"muster.sh/muster/benchmarks/audit"
)

func TestUtilisationIsTheMeanOfWhatIsHeld(t *testing.T) {
	b := newLog(t).node("n", "cpu=4,pods=9").node("m", "cpu=4,pods=9")
	b.create("early", requests("cpu=2")).create("late", requests("cpu=1")).create("waits", requests("cpu=8")).bind("early", "n")
	b.at(5).bind("late", "m").at(8).phase("early", corev1.PodSucceeded).at(20).create("end")
	for _, c := range []struct{ from, until, want float64 }{
		{0, 10, (2*8 + 1*5) / 80.}, // of 8 CPUs for ten seconds
		{6, 8, 3 / 8.},
		{10, 20, 1 / 8.},
		{10, 10, 0},
	} {
		over := audit.Span{From: second(c.from), Until: second(c.until)}
		if got := audit.Utilisation(b.timeline(), corev1.ResourceCPU, over); math.Abs(got-c.want) > .001 {
			t.Errorf("from %g to %g: %g, want %g", c.from, c.until, got, c.want)
		}
	}
}

func TestEvictedPodsAreThoseThatLoseTheirRoom(t *testing.T) {
	b := newLog(t).node("n", "cpu=9,pods=9").create("evicted").create("ended").create("never-bound").create("runs")
	b.at(1).bind("evicted", "n").bind("ended", "n").bind("runs", "n").at(3).phase("ended", corev1.PodSucceeded)
	b.at(4).remove("ended").remove("never-bound").at(7).evict("evicted").at(9).create("end")
	if pods, lost := audit.Evicted(b.timeline()); pods != 1 || lost.Round(100*time.Millisecond) != 6*time.Second {
		t.Errorf("%d pods lost %s, want 1 that lost 6s", pods, lost)
	}
}
