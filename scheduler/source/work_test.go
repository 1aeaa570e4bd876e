package source

import (
	"fmt"
	"testing"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/gang"
)

// work is a piece of work that is done once so many pods have succeeded, as a Job
// does it, with a scheduler on a node that has room for all of them.
type work struct {
	// pod makes the options of its pods, and group what declares them if they
	// don't do it themselves.
	pod   podOption
	group *declaration
	size  int // how many are to succeed

	collector *collector
	machine   *core.Machine
	now       time.Time
	pods      []*v1.Pod
	open      map[gang.ID]core.Epoch
	latched   map[gang.PodID]core.Release
}

func (w *work) count(is func(*v1.Pod) bool) int {
	n := 0
	for _, p := range w.pods {
		if is(p) {
			n++
		}
	}
	return n
}

func waits(p *v1.Pod) bool     { return p.Status.Phase == v1.PodPending }
func runs(p *v1.Pod) bool      { return p.Status.Phase == v1.PodRunning }
func succeeded(p *v1.Pod) bool { return p.Status.Phase == v1.PodSucceeded }

// restart replaces the scheduler by one that knows only what exists.
func (w *work) restart() {
	w.collector = newCollector(settings{schedulerName: testScheduler})
	w.machine = core.NewMachine(core.DefaultOptions())
	w.open, w.latched = map[gang.ID]core.Epoch{}, map[gang.PodID]core.Release{}
	w.change(func(c *collector) {
		c.setNode(&v1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n"}, Status: v1.NodeStatus{Allocatable: v1.ResourceList{
			v1.ResourceCPU: resource.MustParse("1000"), v1.ResourceMemory: resource.MustParse("1000Gi"), v1.ResourcePods: resource.MustParse("1000"),
		}}})
		if w.group != nil {
			c.setGroup(*w.group)
		}
		for _, p := range w.pods {
			c.setPod(p)
		}
		c.replayed(nil)
	})
}

// change lets the scheduler see a change, and all that follows from it happen.
func (w *work) change(see func(*collector)) {
	w.collector.now = w.now
	see(w.collector)
	events, _ := w.collector.take()
	for _, e := range events {
		w.step(e)
	}
}

func (w *work) step(e core.Event) {
	for _, d := range w.machine.Step(w.now, e) {
		switch d := d.(type) {
		case core.Release:
			w.latched[d.Pod] = d
			if w.open[d.Gang] == d.Epoch {
				w.bind(d.Pod)
			} else {
				w.step(core.AtLatch{ID: d.Pod, Epoch: d.Epoch})
			}
		case core.OpenLatch:
			w.open[d.Gang] = d.Epoch
			for _, p := range w.pods {
				if r, ok := w.latched[podID(p)]; ok && r.Gang == d.Gang && r.Epoch == d.Epoch {
					w.bind(r.Pod)
				}
			}
		case core.ShutLatch:
			delete(w.open, d.Gang)
			for _, p := range w.pods {
				if r, ok := w.latched[podID(p)]; ok && r.Gang == d.Gang && r.Epoch == d.Epoch {
					delete(w.latched, r.Pod)
					w.step(core.Parked{ID: r.Pod, Epoch: r.Epoch})
				}
			}
		}
	}
}

func (w *work) bind(id gang.PodID) {
	delete(w.latched, id)
	for i, p := range w.pods {
		if podID(p) == id {
			w.set(i, on("n"))
		}
	}
}

// set changes a pod.
func (w *work) set(i int, o podOption) {
	w.pods[i] = w.pods[i].DeepCopy()
	o(w.pods[i])
	w.change(func(c *collector) { c.setPod(w.pods[i]) })
}

// control makes the pods that the work lacks, as its controller does.
func (w *work) control() {
	for w.count(waits)+w.count(runs)+w.count(succeeded) < w.size {
		p := newPod(fmt.Sprintf("p%d", len(w.pods)), w.pod, created(time.Duration(len(w.pods))*time.Second))
		w.pods = append(w.pods, p)
		w.change(func(c *collector) { c.setPod(p) })
	}
}

// end ends running pods, one of them or all.
func (w *work) end(phase v1.PodPhase, all bool) {
	for i, p := range w.pods {
		if runs(p) {
			w.set(i, phaseOf(phase))
			if !all {
				return
			}
		}
	}
}

func (w *work) pass(d time.Duration) {
	w.now = w.now.Add(d)
	w.step(core.Tick{})
}

// The work of a gang is done in the end, whatever fails, and whenever the scheduler
// starts anew: what waits does never wait for what has been done. And nothing of it
// starts before the whole of it could.
func TestWorkOfAGangIsDoneInTheEnd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.IntRange(1, 5).Draw(t, "size")
		w := &work{size: 1, now: epoch, pod: ofJob(fmt.Sprint(size))}
		happenings := []string{"succeeds", "fails", "all fail", "control", "control", "restart", "time"}
		if rapid.Bool().Draw(t, "by a PodGroup") {
			d := kubernetesGroup(newKubernetesGroup(gangPolicy(int32(size))))
			w.group, w.pod = &d, inSchedulingGroup("g")
			// No time in which members of it are given up for lost: a later try of
			// the group waits for them again.
			happenings = happenings[:len(happenings)-1]
		}
		w.restart()
		w.control()
		if w.count(runs) > 0 && size > 1 {
			t.Fatalf("of a gang of %d the only pod that is there runs", size)
		}
		w.size = size
		w.control()
		if w.count(runs) != size {
			t.Fatalf("%d pods run of a gang of %d, all of which are there", w.count(runs), size)
		}
		for range rapid.IntRange(0, 20).Draw(t, "happenings") {
			switch rapid.SampledFrom(happenings).Draw(t, "what") {
			case "succeeds":
				w.end(v1.PodSucceeded, false)
			case "fails":
				w.end(v1.PodFailed, false)
			case "all fail":
				w.end(v1.PodFailed, true)
			case "control":
				w.control()
			case "restart":
				w.restart()
			case "time":
				w.pass(time.Hour)
			}
		}
		w.control()
		if n := w.count(waits); n > 0 {
			t.Fatalf("%d of %d pods wait for ever, %d run, %d have succeeded", n, size, w.count(runs), w.count(succeeded))
		}
	})
}
