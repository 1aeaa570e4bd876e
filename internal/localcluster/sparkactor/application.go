package sparkactor

import (
	"math"
	"slices"
	"time"
)

// executor is what an application knows of one of its executors.
type executor struct {
	id      int
	running bool // it has registered with the driver
	lost    bool // it has ended, or is being deleted
}

// application is one driver's mind: pure, so that it can be tested by the table.
type application struct {
	conf    conf
	started time.Time // when its driver began to run

	nextID      int
	outstanding map[int]time.Time // created, not yet seen by the watch
	lastBatch   time.Time
	target      int // executors wanted now
	ramp        int // dynamic: how many more are asked for next
	lastRamp    time.Time

	working   bool
	idleSince time.Time
	resumeAt  time.Time
	burst     int
	done      float64 // executor-seconds of the present burst
	lastTick  time.Time
	ran       int // executors running since lastTick
}

// decision is what a driver does next.
type decision struct {
	create []int         // ids of executors to create
	remove []int         // ids of executors to delete
	finish bool          // all work is done
	wake   time.Duration // when to look again even if nothing happens; 0: never
}

// unseenTimeout is how long a created executor may stay unseen before the
// driver takes it for lost. It is Spark's own.
const unseenTimeout = 10 * time.Minute

func newApplication(c conf, now time.Time, highestID int) *application {
	return &application{
		conf:        c,
		started:     now,
		nextID:      highestID + 1,
		outstanding: map[int]time.Time{},
		target:      c.initial,
		ramp:        1,
		lastTick:    now,
	}
}

// step looks at the executors that exist and decides.
func (a *application) step(now time.Time, executors []executor) decision {
	running, known := a.count(now, executors)
	a.work(now, running)
	if a.finished() {
		return decision{finish: true}
	}
	var d decision
	a.scale(now, &d)
	for _, e := range executors {
		if e.lost {
			d.remove = append(d.remove, e.id) // Spark deletes executors that failed
		}
	}
	d.remove = append(d.remove, a.idle(now, executors)...)
	a.allocate(now, known, &d)
	a.wakeToFinish(running, &d)
	return d
}

// count returns the executors that run, and all that run or will.
func (a *application) count(now time.Time, executors []executor) (running, known int) {
	for _, e := range executors {
		delete(a.outstanding, e.id)
		if e.lost {
			continue
		}
		known++
		if e.running {
			running++
		}
	}
	for id, created := range a.outstanding {
		if now.Sub(created) > unseenTimeout {
			delete(a.outstanding, id)
		}
	}
	return running, known + len(a.outstanding)
}

// work adds what was done since the last look, and begins or ends a burst.
func (a *application) work(now time.Time, running int) {
	if a.working {
		a.done += now.Sub(a.lastTick).Seconds() * float64(a.ran)
	}
	a.lastTick, a.ran = now, running
	if a.working && a.done >= a.burstWork() {
		a.working = false
		a.burst++
		a.idleSince, a.resumeAt = now, now.Add(a.conf.pause)
		a.done, a.ramp = 0, 1
	}
	if !a.working && !a.finished() && a.enough(now, running) {
		a.working = true
		a.lastRamp = now
	}
}

// burstWork is the work of a burst in executor-seconds. Less than a
// microsecond's work is lost in rounding, and must not keep the driver up.
func (a *application) burstWork() float64 {
	return a.conf.duration.Seconds()*float64(max(a.conf.initial, 1)) - 1e-6
}

// enough tells whether work may begin. Before the first burst Spark waits for
// a share of the executors, for some time; no work is done without any.
func (a *application) enough(now time.Time, running int) bool {
	if a.burst > 0 {
		return !now.Before(a.resumeAt)
	}
	registered := float64(running) >= a.conf.minRatio*float64(a.conf.initial)
	return running > 0 && (registered || now.Sub(a.started) >= a.conf.maxWait)
}

func (a *application) finished() bool { return a.burst >= a.conf.bursts }

// scale moves the target under dynamic allocation: up in ever larger steps
// while there is work, down to the least that Spark keeps when there is none.
func (a *application) scale(now time.Time, d *decision) {
	if !a.conf.dynamic {
		return
	}
	if !a.working {
		if a.burst > 0 && now.Sub(a.idleSince) >= a.conf.idleTimeout {
			a.target = a.conf.least
		}
		return
	}
	if a.target < a.conf.most {
		if now.Sub(a.lastRamp) >= a.conf.backlog {
			a.target = min(a.target+a.ramp, a.conf.most)
			a.ramp *= 2
			a.lastRamp = now
		}
		d.wakeIn(a.lastRamp.Add(a.conf.backlog).Sub(now))
	}
}

// idle returns executors that have been idle for too long, the oldest first.
func (a *application) idle(now time.Time, executors []executor) []int {
	if !a.conf.dynamic || a.working || a.burst == 0 || now.Sub(a.idleSince) < a.conf.idleTimeout {
		return nil
	}
	var alive []int
	for _, e := range executors {
		if !e.lost {
			alive = append(alive, e.id)
		}
	}
	slices.Sort(alive)
	return alive[:max(len(alive)-a.conf.least, 0)]
}

// allocate creates the next batch of the executors that are missing.
func (a *application) allocate(now time.Time, known int, d *decision) {
	missing := a.target - known
	if missing <= 0 {
		return
	}
	due := a.started.Add(a.conf.startDelay)
	if next := a.lastBatch.Add(a.conf.batchDelay); next.After(due) {
		due = next
	}
	if now.Before(due) {
		d.wakeIn(due.Sub(now))
		return
	}
	for range min(missing, a.conf.batchSize) {
		d.create = append(d.create, a.nextID)
		a.outstanding[a.nextID] = now
		a.nextID++
	}
	a.lastBatch = now
	d.wakeIn(a.conf.batchDelay)
}

// wakeToFinish asks for a look at the time when a wait or the work ends.
func (a *application) wakeToFinish(running int, d *decision) {
	switch {
	case a.working && running > 0:
		seconds := (a.burstWork() - a.done) / float64(running)
		d.wakeIn(time.Duration(math.Ceil(seconds*1e3)) * time.Millisecond)
	case !a.working && a.burst == 0:
		d.wakeIn(a.started.Add(a.conf.maxWait).Sub(a.lastTick))
	case !a.working:
		d.wakeIn(a.resumeAt.Sub(a.lastTick))
		if a.conf.dynamic {
			d.wakeIn(a.idleSince.Add(a.conf.idleTimeout).Sub(a.lastTick))
		}
	}
}

func (d *decision) wakeIn(delay time.Duration) {
	if delay > 0 && (d.wake == 0 || delay < d.wake) {
		d.wake = delay
	}
}

// uncreate takes back an executor that could not be created.
func (a *application) uncreate(id int) { delete(a.outstanding, id) }
