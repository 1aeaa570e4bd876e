package hold

import (
	"fmt"
	"slices"
	"testing"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/klog/v2"
	"pgregory.net/rapid"

	"muster.sh/muster/scheduler/core"
)

// world is what must be true of a Queue, kept in the plainest way: where each
// living pod is. A pod has one name for all its lives, and a UID for each.
type world struct {
	*rig
	t     *rapid.T
	pods  map[string]*v1.Pod // living, by name
	where map[types.UID]state
	uids  int
	epoch core.Epoch
	// running has the pods whose cycles are under way, whether they live or not.
	running []*v1.Pod
}

func (w *world) member(p *v1.Pod) bool { return p.Labels["gang"] != "" }

func (w *world) fresh(name string) *v1.Pod {
	w.uids++
	return pod(name, types.UID(fmt.Sprintf("%s-%d", name, w.uids)), rapid.Bool().Draw(w.t, "member"))
}

func (w *world) born(p *v1.Pod) {
	w.pods[p.Name] = p
	w.where[p.UID] = held
	if !w.member(p) {
		w.where[p.UID] = queued
	}
}

func (w *world) anyPod() *v1.Pod {
	if len(w.pods) == 0 {
		w.t.Skip("no pods")
	}
	names := make([]string, 0, len(w.pods))
	for name := range w.pods {
		names = append(names, name)
	}
	slices.Sort(names)
	return w.pods[rapid.SampledFrom(names).Draw(w.t, "pod")]
}

func (w *world) add(t *rapid.T) {
	name := rapid.StringMatching("[a-f]").Draw(t, "name")
	if w.pods[name] != nil {
		t.Skip("exists")
	}
	p := w.fresh(name)
	w.Add(t.Context(), p)
	w.born(p)
}

func (w *world) update(t *rapid.T) {
	old := w.anyPod()
	p := old.DeepCopy()
	p.Annotations = map[string]string{"v": rapid.StringMatching("[a-z]{8}").Draw(t, "version")}
	w.Update(t.Context(), old, p)
	w.pods[p.Name] = p
}

// recreate is how a missed deletion looks after the watch was interrupted.
func (w *world) recreate(t *rapid.T) {
	old := w.anyPod()
	p := w.fresh(old.Name)
	w.Update(t.Context(), old, p)
	delete(w.where, old.UID)
	w.born(p)
}

func (w *world) delete(*rapid.T) {
	p := w.anyPod()
	w.Delete(klog.Background(), p)
	delete(w.where, p.UID)
	delete(w.pods, p.Name)
}

func (w *world) releaseOne(t *rapid.T) {
	p := w.anyPod()
	if !w.member(p) || w.where[p.UID] != held {
		t.Skip("not held")
	}
	w.epoch++
	w.release(t.Context(), idOf(p), w.epoch)
	w.where[p.UID] = queued
}

func (w *world) releaseTooLate(t *rapid.T) {
	p := w.anyPod()
	if !w.member(p) || w.where[p.UID] != held {
		t.Skip("not held")
	}
	w.epoch++
	w.places[idOf(p)] = core.Placement{Epoch: w.epoch + 1}
	w.Release(t.Context(), core.Release{Pod: idOf(p), Epoch: w.epoch})
	w.epoch++
}

func (w *world) popOne(t *rapid.T) {
	if len(w.active()) == 0 {
		t.Skip("nothing is queued")
	}
	p := w.pop(t)
	if w.where[p.UID] != queued {
		t.Fatalf("popped %s, which is not queued", p.UID)
	}
	if p != w.pods[p.Name] {
		t.Fatalf("popped an old version of %s", p.UID)
	}
	w.where[p.UID] = running
	w.running = append(w.running, p)
}

func (w *world) fail(t *rapid.T) {
	if len(w.running) == 0 {
		t.Skip("nothing runs")
	}
	i := rapid.IntRange(0, len(w.running)-1).Draw(t, "cycle")
	p := w.running[i]
	w.running = slices.Delete(w.running, i, i+1)
	_, alive := w.where[p.UID]
	_, parked := w.Park(klog.Background(), p)
	if want := alive && w.member(p); parked != want {
		t.Fatalf("parked %s: %v, want %v", p.UID, parked, want)
	}
	switch {
	case parked:
		w.where[p.UID] = held
	case alive:
		// Kube-scheduler's own handler takes single pods back.
		w.Add(t.Context(), w.pods[p.Name])
		w.where[p.UID] = queued
	}
}

// check is the property: no pod is lost or in two places.
func (w *world) check(t *rapid.T) {
	var want []types.UID
	for uid, where := range w.where {
		if where == queued {
			want = append(want, uid)
		}
	}
	slices.Sort(want)
	if got := w.active(); !slices.Equal(got, want) {
		t.Fatalf("in kube-scheduler's queue: %v, want %v", got, want)
	}
	for _, p := range w.pods {
		m, known := w.members[idOf(p)]
		switch {
		case known != w.member(p):
			t.Fatalf("%s: known %v, member %v", p.UID, known, w.member(p))
		case known && (m.state != w.where[p.UID] || m.pod != p):
			t.Fatalf("%s is in state %d, want %d, version kept: %v", p.UID, m.state, w.where[p.UID], m.pod == p)
		}
	}
	if n := len(w.members); n > len(w.pods) {
		t.Fatalf("%d members are known, %d pods exist", n, len(w.pods))
	}
}

func TestNoPodIsLostOrDoubled(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &world{rig: newRig(t.Context()), t: t, pods: map[string]*v1.Pod{}, where: map[types.UID]state{}}
		t.Repeat(map[string]func(*rapid.T){
			"": w.check, "add": w.add, "update": w.update, "recreate": w.recreate, "delete": w.delete,
			"release": w.releaseOne, "releaseTooLate": w.releaseTooLate, "pop": w.popOne, "fail": w.fail,
		})
	})
}
