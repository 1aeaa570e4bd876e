package sparkactor

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// world plays a cluster around one application: pods start when there is room,
// and the application is asked whenever it wants to be or something happened.
type world struct {
	t     rapid.TB
	app   *application
	now   time.Time
	room  int // executors that can run at once
	execs []executor

	wakeAt  time.Time
	created []int // ids, in order
	removed []int
	end     time.Time
}

func newWorld(t rapid.TB, c conf, room int) *world {
	now := time.Unix(1000, 0)
	return &world{t: t, app: newApplication(c, now, 0), now: now, room: room}
}

func staticConf(executors int) conf {
	return conf{
		initial: executors, least: executors, most: executors,
		batchSize: 10, batchDelay: time.Second, startDelay: time.Second,
		minRatio: 1, maxWait: time.Hour, duration: 10 * time.Second, bursts: 1,
		backlog: time.Second, idleTimeout: 5 * time.Second,
	}
}

// look is one step of the application and of the pods that it makes or deletes.
func (w *world) look() {
	w.execs = slices.DeleteFunc(w.execs, func(e executor) bool { return e.lost && slices.Contains(w.removed, e.id) })
	d := w.app.step(w.now, w.execs)
	if d.finish {
		w.end = w.now
		return
	}
	for _, id := range d.create {
		w.created = append(w.created, id)
		w.execs = append(w.execs, executor{id: id})
	}
	for _, id := range d.remove {
		w.removed = append(w.removed, id)
		w.lose(id)
	}
	w.wakeAt = time.Time{}
	if d.wake > 0 {
		w.wakeAt = w.now.Add(d.wake)
	}
	if w.schedule() {
		w.look()
	}
}

// schedule starts pods where there is room, and tells whether any started.
func (w *world) schedule() bool {
	started := false
	for i := range w.execs {
		if w.running() < w.room && !w.execs[i].running && !w.execs[i].lost {
			w.execs[i].running, started = true, true
		}
	}
	return started
}

func (w *world) running() int {
	n := 0
	for _, e := range w.execs {
		if e.running && !e.lost {
			n++
		}
	}
	return n
}

func (w *world) lose(id int) {
	for i := range w.execs {
		if w.execs[i].id == id {
			w.execs[i].lost = true
		}
	}
}

// runFor lets time pass, looking when the application asked to be woken.
func (w *world) runFor(span time.Duration) {
	until := w.now.Add(span)
	for w.end.IsZero() && !w.wakeAt.IsZero() && !w.wakeAt.After(until) {
		w.now = w.wakeAt
		w.look()
	}
	if w.end.IsZero() {
		w.now = until
	}
}

func (w *world) elapsed() time.Duration {
	return w.end.Sub(w.app.started).Round(100 * time.Millisecond)
}

func TestAnApplicationWithRoomRunsForItsDuration(t *testing.T) {
	w := newWorld(t, staticConf(3), 3)
	w.look()
	w.runFor(time.Minute)
	if got := w.elapsed(); got != 11*time.Second {
		t.Errorf("ended after %s, want the start delay of 1s and 10s of work", got)
	}
	if !slices.Equal(w.created, []int{1, 2, 3}) {
		t.Errorf("created executors %v", w.created)
	}
}

func TestExecutorsAreCreatedInBatches(t *testing.T) {
	c := staticConf(25)
	w := newWorld(t, c, 0)
	w.look()
	for seconds, want := range []int{0, 10, 20, 25, 25} {
		if got := len(w.created); got != want {
			t.Errorf("after %d s: %d executors created, want %d", seconds, got, want)
		}
		w.runFor(time.Second)
	}
}

func TestWithoutEnoughExecutorsTheDriverWaitsForEver(t *testing.T) {
	w := newWorld(t, staticConf(3), 2)
	w.look()
	w.runFor(30 * time.Minute)
	if !w.end.IsZero() {
		t.Fatalf("ended after %s with 2 of 3 executors", w.elapsed())
	}
	w.room = 3
	w.schedule()
	w.look()
	w.runFor(time.Minute)
	if w.end.IsZero() {
		t.Error("still waits though all executors run")
	}
}

func TestAfterTheWaitingTimeWorkBeginsWithFewerExecutorsAndTakesLonger(t *testing.T) {
	c := staticConf(4)
	c.maxWait = 30 * time.Second
	w := newWorld(t, c, 1)
	w.look()
	w.runFor(time.Hour)
	if got, want := w.elapsed(), 70*time.Second; got != want {
		t.Errorf("ended after %s, want %s: 30 s of waiting and 40 executor-seconds by one", got, want)
	}
}

func TestLostExecutorsAreDeletedAndReplacedByNewNumbers(t *testing.T) {
	w := newWorld(t, staticConf(2), 2)
	w.look()
	w.runFor(5 * time.Second)
	w.lose(1)
	w.look()
	w.runFor(time.Minute)
	if !slices.Contains(w.removed, 1) {
		t.Error("the lost executor is not deleted")
	}
	if !slices.Equal(w.created, []int{1, 2, 3}) {
		t.Errorf("created %v, want a third for the lost first", w.created)
	}
	if w.end.IsZero() {
		t.Error("does not end")
	}
}

func TestDynamicAllocationGrowsWithWorkAndShrinksInThePause(t *testing.T) {
	c := staticConf(1)
	c.dynamic, c.most, c.least = true, 4, 1
	c.bursts, c.pause = 2, 20*time.Second
	w := newWorld(t, c, 10)
	w.look()
	w.runFor(8 * time.Second) // 10 executor-seconds by up to four executors
	if w.app.burst != 1 {
		t.Fatalf("in burst %d, want the pause after the first", w.app.burst)
	}
	if got := len(w.created); got != 4 {
		t.Errorf("%d executors at the end of the burst, want 4", got)
	}
	w.runFor(10 * time.Second)
	if got := w.running(); got != 1 {
		t.Errorf("%d executors in the pause, want the 1 that is kept", got)
	}
	w.runFor(time.Minute)
	if w.end.IsZero() {
		t.Fatal("does not end")
	}
	if got := slices.Max(w.created); got <= 4 {
		t.Errorf("the second burst reuses numbers up to %d", got)
	}
}

func TestAnApplicationNeverHasMoreExecutorsThanItWants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := staticConf(rapid.IntRange(1, 30).Draw(t, "executors"))
		c.batchSize = rapid.IntRange(1, 12).Draw(t, "batch")
		c.minRatio = rapid.Float64Range(0, 1).Draw(t, "ratio")
		w := newWorld(t, c, rapid.IntRange(0, 40).Draw(t, "room"))
		w.look()
		for range rapid.IntRange(1, 60).Draw(t, "events") {
			switch rapid.IntRange(0, 2).Draw(t, "event") {
			case 0:
				w.runFor(time.Duration(rapid.IntRange(1, 5000).Draw(t, "ms")) * time.Millisecond)
			case 1:
				if len(w.execs) > 0 {
					w.lose(rapid.SampledFrom(w.execs).Draw(t, "lost").id)
				}
			case 2:
				w.room = rapid.IntRange(0, 40).Draw(t, "new room")
			}
			if !w.end.IsZero() {
				return
			}
			w.look()
			alive := 0
			for _, e := range w.execs {
				if !e.lost {
					alive++
				}
			}
			if alive > c.initial {
				t.Fatalf("%d executors are alive, %d wanted", alive, c.initial)
			}
		}
		w.room = 40
		w.look()
		w.runFor(time.Hour)
		if w.end.IsZero() {
			t.Fatal("does not end though there is room for all")
		}
	})
}
