// Package fairness lets tenants share a cluster for a day, in memory and with a clock of
// its own, and compares what each had with what it should have had. What decides is the
// scheduler's own machine, with reclaim on.
package fairness

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/queue"
)

// Day is what is simulated.
type Day struct {
	Nodes, Queues int
	Lasts         time.Duration
	// Declared is the part of the gangs that say how long they run at most, and Overrun
	// the part of these that say half of what they do.
	Declared, Overrun float64
	// Depth is how many gangs behind the first that waits for room are looked at, whether
	// they may pass it.
	Depth int
}

const (
	// mostPods of a gang, and the GPUs that each may have.
	mostPods = 4
	mostGPUs = 8
	// backlog is how many gangs of a queue wait while its tenant submits.
	backlog = 3
	// mostWeight is that of a queue.
	mostWeight = 5
)

// Bound is by how much a queue may be off on average: the share of the largest gang, for
// gangs start and go as a whole, and one hundredth.
func (d Day) Bound() float64 { return mostPods*mostGPUs/d.all() + .01 }

func (d Day) all() float64 { return float64(d.Nodes * gpusPerNode) }

// tenant is a queue with who submits to it.
type tenant struct {
	name   string
	weight int64
	// submits says that there is always more that it wants; waiting are gangs that have
	// not started, with so many GPUs.
	submits       bool
	waiting, asks int
	Share
}

// Share is what a queue had, of all GPUs, on average over the time in which gangs of it
// waited, and what it should have had.
type Share struct {
	Got, Fair float64
	// Waited is the part of the day in which it had gangs that waited.
	Waited float64
}

// Outcome is what came of a day.
type Outcome struct {
	Weights []int64
	Shares  []Share
	// Busy is the part of all GPU time that pods had, Lost that of pods that were evicted.
	Busy, Lost float64
	Gangs      int
	// Wait is how long gangs waited on average until they started, and Largest how long
	// those did that ask for at least half as much as any.
	Wait, Largest time.Duration
	// Bookings that moved to a later time because somebody ran longer than expected,
	// because gangs started whose turn it was earlier, and for other reasons.
	Overran, Before, Moved int
}

// run is a day that goes by.
type run struct {
	Day
	*simulation
	random  *rand.Rand
	tenants []*tenant
	weights []float64
	busy    float64
	// waits of all gangs that have started, and of the largest.
	waited, largest waits
}

// waits adds up how long gangs have waited.
type waits struct {
	sum   time.Duration
	count int
}

func (w *waits) add(d time.Duration) { w.sum, w.count = w.sum+d, w.count+1 }

func (w *waits) mean() time.Duration { return w.sum / time.Duration(max(w.count, 1)) }

// Simulate lets a day go by. Equal seeds give equal days. The weights of queues are the
// same for all seeds.
func Simulate(d Day, seed uint64) Outcome {
	r := &run{Day: d, simulation: newSimulation(d), random: rand.New(rand.NewPCG(seed, 0))} //nolint:gosec // equal seeds must give equal days
	weights := rand.New(rand.NewPCG(0, uint64(d.Queues)))                                   //nolint:gosec // all days must have the same
	for i := range d.Queues {
		t := &tenant{name: fmt.Sprintf("queue-%02d", i), weight: 1 + weights.Int64N(mostWeight)}
		r.tenants, r.weights = append(r.tenants, t), append(r.weights, float64(t.weight))
		r.tell(core.QueueSet{Queue: queue.Spec{Name: t.name, Weight: t.weight, Backfill: true}})
	}
	r.tell(core.Synced{})
	r.started = r.begun
	r.restarts = func(j *job) { r.awaits(j, 1) }
	for i := range r.tenants {
		submits := r.random.IntN(2) == 0
		r.at(epoch, func() { r.alternate(i, submits) })
	}
	r.runUntil(epoch.Add(d.Lasts), r.observe)
	return r.outcome()
}

// alternate lets a tenant submit for some hours, and then not for some, and so on.
func (r *run) alternate(i int, submits bool) {
	lasts := r.between(time.Hour, 4*time.Hour)
	if submits {
		lasts = r.between(2*time.Hour, 8*time.Hour)
	}
	r.tenants[i].submits = submits
	r.refill(i)
	r.at(r.now.Add(lasts), func() { r.alternate(i, !submits) })
}

func (r *run) between(least, most time.Duration) time.Duration {
	return least + time.Duration(r.random.Int64N(int64(most-least)))
}

// refill submits as many gangs as are to wait. Most take some minutes, some two hours.
func (r *run) refill(i int) {
	t := r.tenants[i]
	if !t.submits {
		return
	}
	for range backlog - t.waiting { // and no more, where these start at once: others are to come too
		j := &job{
			queue: i, pods: 1 + r.random.IntN(mostPods), gpus: 1 << r.random.IntN(4),
			runs: time.Duration(float64(5*time.Minute) * math.Pow(24, r.random.Float64())),
		}
		if r.Declared > 0 { // else days are as they were before there was anything to declare
			r.declare(j)
		}
		r.awaits(j, 1)
		r.submit(j, t.name)
	}
}

// declare has some gangs say how long they run: mostly up to one and a half times as long
// as they do.
func (r *run) declare(j *job) {
	says, overruns, more := r.random.Float64(), r.random.Float64(), r.random.Float64()
	switch {
	case says >= r.Declared:
	case overruns < r.Overrun:
		j.declares = j.runs / 2
	default:
		j.declares = time.Duration(float64(j.runs) * (1 + more/2))
	}
}

// awaits counts a gang that waits, or with -1 one that does not any more.
func (r *run) awaits(j *job, n int) {
	t := r.tenants[j.queue]
	t.waiting += n
	t.asks += n * j.pods * j.gpus
}

// begun notes that a gang has started. Another one comes in its place.
func (r *run) begun(j *job) {
	r.awaits(j, -1)
	if j.attempt == 1 {
		r.waited.add(r.now.Sub(j.submitted))
		if j.pods*j.gpus >= mostPods*mostGPUs/2 {
			r.largest.add(r.now.Sub(j.submitted))
		}
	}
	r.at(r.now, func() { r.refill(j.queue) })
}

// observe adds up what each queue had while nothing happened.
func (r *run) observe(d time.Duration) {
	wants := make([]float64, len(r.tenants))
	for i, t := range r.tenants {
		wants[i] = float64(r.used[i]+t.asks) / r.all()
		if t.submits {
			wants[i] = 1
		}
	}
	part := d.Seconds() / r.Lasts.Seconds()
	fair := ideal(r.weights, wants)
	for i, t := range r.tenants {
		got := float64(r.used[i]) / r.all()
		r.busy += got * part
		if t.waiting > 0 {
			t.Got += got * part
			t.Fair += fair[i] * part
			t.Waited += part
		}
	}
}

func (r *run) outcome() Outcome {
	o := Outcome{
		Busy: r.busy, Lost: r.lost.Seconds() / r.Lasts.Seconds() / r.all(), Gangs: len(r.jobs),
		Wait: r.waited.mean(), Largest: r.largest.mean(), Overran: r.bookings.overran, Before: r.bookings.passed, Moved: r.bookings.moved,
	}
	for _, t := range r.tenants {
		if t.Waited > 0 {
			t.Got, t.Fair = t.Got/t.Waited, t.Fair/t.Waited
		}
		o.Weights, o.Shares = append(o.Weights, t.weight), append(o.Shares, t.Share)
	}
	return o
}
