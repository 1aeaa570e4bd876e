package hold

import (
	"context"
	"fmt"
	"slices"
	"testing"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/klog/v2"
	fwk "k8s.io/kube-scheduler/framework"
	backend "k8s.io/kubernetes/pkg/scheduler/backend/queue"
	"k8s.io/kubernetes/pkg/scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler/metrics"

	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/gang"
)

func init() { metrics.Register() }

// rig is a Queue around kube-scheduler's real one, with a board of its own.
type rig struct {
	*Queue
	inner  *backend.PriorityQueue
	places map[gang.PodID]core.Placement
	posted []core.Event
	gone   []gang.PodID
}

func newRig(ctx context.Context, opts ...backend.Option) *rig {
	oldestFirst := func(a, b fwk.QueuedEntityInfo) bool { return a.GetTimestamp().Before(b.GetTimestamp()) }
	r := &rig{inner: backend.NewTestQueue(ctx, oldestFirst, opts...), places: map[gang.PodID]core.Placement{}}
	r.Queue = Wrap(r.inner, Options{
		Member:    func(p *v1.Pod) bool { return p.Labels["gang"] != "" },
		Placement: func(id gang.PodID) (core.Placement, bool) { p, ok := r.places[id]; return p, ok },
		Post:      func(e core.Event) { r.posted = append(r.posted, e) },
		Gone:      func(id gang.PodID) { r.gone = append(r.gone, id) },
	})
	return r
}

func pod(name string, uid types.UID, member bool) *v1.Pod {
	p := &v1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: name, UID: uid}}
	if member {
		p.Labels = map[string]string{"gang": "g"}
	}
	return p
}

func (r *rig) release(ctx context.Context, id gang.PodID, epoch core.Epoch) {
	r.places[id] = core.Placement{Node: "n", Epoch: epoch}
	r.Release(ctx, core.Release{Gang: "g", Pod: id, Epoch: epoch})
}

func (r *rig) active() []types.UID {
	var out []types.UID
	for _, p := range r.inner.PodsInActiveQ() {
		out = append(out, p.UID)
	}
	slices.Sort(out)
	return out
}

func (r *rig) pop(t fataler) *v1.Pod {
	t.Helper()
	if len(r.inner.PodsInActiveQ()) == 0 {
		t.Fatalf("nothing to pop")
	}
	entity, err := r.Pop(klog.Background())
	if err != nil {
		t.Fatalf("pop: %v", err)
	}
	return entity.(*framework.QueuedPodInfo).Pod
}

type fataler interface {
	Helper()
	Fatalf(string, ...any)
}

func expectActive(t *testing.T, r *rig, want ...types.UID) {
	t.Helper()
	if got := r.active(); !slices.Equal(got, want) {
		t.Fatalf("in kube-scheduler's queue: %v, want %v", got, want)
	}
}

func TestASinglePodPassesThrough(t *testing.T) {
	ctx := t.Context()
	r := newRig(ctx)
	single := pod("a", "a1", false)
	r.Add(ctx, single)
	expectActive(t, r, "a1")
	changed := single.DeepCopy()
	changed.Annotations = map[string]string{"x": "y"}
	r.Update(ctx, single, changed)
	if got := r.pop(t); got != changed {
		t.Errorf("popped %v", got)
	}
	if _, ok := r.Park(klog.Background(), changed); ok {
		t.Error("a single pod can't be parked")
	}
}

func TestAMemberWaitsForItsRelease(t *testing.T) {
	ctx := t.Context()
	r := newRig(ctx)
	member := pod("a", "a1", true)
	r.Add(ctx, member)
	changed := member.DeepCopy()
	changed.Annotations = map[string]string{"x": "y"}
	r.Update(ctx, member, changed)
	expectActive(t, r)
	r.release(ctx, "a1", 7)
	if got := r.pop(t); got != changed {
		t.Errorf("popped %v, want what the pod was last", got)
	}
	if len(r.posted) != 0 {
		t.Errorf("posted %v", r.posted)
	}
}

func TestAParkedMemberIsHeldAgainAndCanBeReleasedAgain(t *testing.T) {
	ctx := t.Context()
	r := newRig(ctx)
	r.Add(ctx, pod("a", "a1", true))
	for epoch := core.Epoch(1); epoch <= 3; epoch++ {
		r.release(ctx, "a1", epoch)
		p := r.pop(t)
		got, ok := r.Park(klog.Background(), p)
		if !ok || got != epoch {
			t.Fatalf("parked with epoch %d, %v; want %d", got, ok, epoch)
		}
		expectActive(t, r)
		if n := len(r.inner.InFlightPods()); n != 0 {
			t.Fatalf("%d pods are still in flight for kube-scheduler's queue", n)
		}
	}
}

// Kube-scheduler's own Update adds a pod that is in none of its queues and no
// longer in flight: a member between its failed bind and its parking.
func TestAnUpdateOfARunningMemberQueuesNothing(t *testing.T) {
	ctx := t.Context()
	r := newRig(ctx)
	r.Add(ctx, pod("a", "a1", true))
	r.release(ctx, "a1", 1)
	p := r.pop(t)
	r.Done(p.UID)
	changed := p.DeepCopy()
	changed.Annotations = map[string]string{"x": "y"}
	r.Update(ctx, p, changed)
	expectActive(t, r)
	if _, ok := r.Park(klog.Background(), p); !ok {
		t.Fatal("not parked")
	}
	r.release(ctx, "a1", 2)
	if got := r.pop(t); got != changed {
		t.Errorf("popped %v, want what the pod was last", got)
	}
}

func TestAReleaseThatIsOvertakenByANewPlanIsParked(t *testing.T) {
	ctx := t.Context()
	r := newRig(ctx)
	r.Add(ctx, pod("a", "a1", true))
	r.places["a1"] = core.Placement{Node: "n", Epoch: 4}
	r.Release(ctx, core.Release{Gang: "g", Pod: "a1", Epoch: 3})
	expectActive(t, r)
	if want := (core.Parked{ID: "a1", Epoch: 3, Reason: "the placement was taken back"}); len(r.posted) != 1 || r.posted[0] != want {
		t.Fatalf("posted %v, want %v", r.posted, want)
	}
	r.release(ctx, "a1", 4)
	expectActive(t, r, "a1")
}

func TestAReleaseMayComeBeforeThePod(t *testing.T) {
	ctx := t.Context()
	r := newRig(ctx)
	r.release(ctx, "a1", 1)
	expectActive(t, r)
	r.Add(ctx, pod("a", "a1", true))
	expectActive(t, r, "a1")
	if len(r.early) != 0 {
		t.Errorf("still noted: %v", r.early)
	}
}

func TestReleasesOfPodsThatNeverComeAreForgotten(t *testing.T) {
	ctx := t.Context()
	r := newRig(ctx)
	for i := range 1000 {
		id := gang.PodID(fmt.Sprint("never", i))
		r.release(ctx, id, 1)
		delete(r.places, id)
	}
	if len(r.early) > 1 {
		t.Errorf("%d releases are noted", len(r.early))
	}
	r.release(ctx, "b1", 1)
	r.Delete(klog.Background(), pod("b", "b1", true))
	if _, ok := r.early["b1"]; ok {
		t.Error("the release of a deleted pod is noted")
	}
}

func TestADeletedMemberIsForgottenWhereverItIs(t *testing.T) {
	ctx := t.Context()
	for name, bring := range map[string]func(*rig){
		"held":    func(*rig) {},
		"queued":  func(r *rig) { r.release(ctx, "a1", 1) },
		"running": func(r *rig) { r.release(ctx, "a1", 1); r.pop(t) },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(ctx)
			p := pod("a", "a1", true)
			r.Add(ctx, p)
			bring(r)
			r.Delete(klog.Background(), p)
			expectActive(t, r)
			if !slices.Equal(r.gone, []gang.PodID{"a1"}) {
				t.Errorf("told gone: %v", r.gone)
			}
			if _, ok := r.Park(klog.Background(), p); ok {
				t.Error("a deleted pod was parked")
			}
			if len(r.members) != 0 {
				t.Errorf("still known: %v", r.members)
			}
		})
	}
}

func TestAPodCreatedAgainUnderItsNameIsAnotherPod(t *testing.T) {
	ctx := t.Context()
	r := newRig(ctx)
	old, fresh := pod("a", "a1", true), pod("a", "a2", true)
	r.Add(ctx, old)
	r.release(ctx, "a1", 1)
	running := r.pop(t)
	r.Update(ctx, old, fresh)
	expectActive(t, r)
	r.release(ctx, "a2", 2)
	if _, ok := r.Park(klog.Background(), running); ok {
		t.Error("the old pod was parked")
	}
	expectActive(t, r, "a2")
}

func TestAPodMayBecomeAMemberOrCeaseToBeOne(t *testing.T) {
	ctx := t.Context()
	r := newRig(ctx)
	single, member := pod("a", "a1", false), pod("a", "a1", true)
	r.Add(ctx, single)
	r.Update(ctx, single, member)
	expectActive(t, r)
	r.Update(ctx, member, single)
	expectActive(t, r, "a1")
}

func TestAStaleNominationTakesNoRoom(t *testing.T) {
	ctx := t.Context()
	r := newRig(ctx)
	member := pod("a", "a1", true)
	member.Status.NominatedNodeName = "elsewhere"
	r.Add(ctx, member)
	r.release(ctx, "a1", 1)
	changed := member.DeepCopy()
	changed.Annotations = map[string]string{"x": "y"}
	r.Update(ctx, member, changed)
	if got := r.NominatedPodsForNode("elsewhere"); len(got) != 0 {
		t.Errorf("nominated: %v", got)
	}
	if got := r.pop(t); got.Status.NominatedNodeName != "" || got.Annotations["x"] != "y" {
		t.Errorf("popped %v", got)
	}
	if member.Status.NominatedNodeName != "elsewhere" {
		t.Error("the informer's object was changed")
	}
}

// claims keeps pods out that have a resource claim.
type claims struct{ missing bool }

func (*claims) Name() string { return "Claims" }

func (c *claims) PreEnqueue(_ context.Context, p *v1.Pod) *fwk.Status {
	if c.missing && len(p.Spec.ResourceClaims) > 0 {
		return fwk.NewStatus(fwk.UnschedulableAndUnresolvable, "no claim")
	}
	return nil
}

func TestAMemberWithoutItsClaimsIsParkedAtOnce(t *testing.T) {
	ctx := t.Context()
	c := &claims{missing: true}
	r := newRig(ctx, backend.WithPreEnqueuePluginMap(map[string]map[string]fwk.PreEnqueuePlugin{"": {c.Name(): c}}))
	p := pod("a", "a1", true)
	p.Spec.ResourceClaims = []v1.PodResourceClaim{{Name: "device"}}
	r.Add(ctx, p)
	r.release(ctx, "a1", 1)
	want := core.Parked{ID: "a1", Epoch: 1, Veto: true, Plugin: "Claims", Reason: "its resource claims are not there"}
	if len(r.posted) != 1 || r.posted[0] != want {
		t.Fatalf("posted %+v, want %+v", r.posted, want)
	}
	if pending, _ := r.inner.PendingPods(); len(pending) > 0 || r.Len() != 1 {
		t.Errorf("%d pods are in kube-scheduler's queue, %d are held", len(pending), r.Len())
	}
	c.missing = false
	r.release(ctx, "a1", 2)
	if got := r.pop(t); got.UID != "a1" || len(r.posted) != 1 {
		t.Errorf("popped %v, posted %+v", got.UID, r.posted)
	}
}
