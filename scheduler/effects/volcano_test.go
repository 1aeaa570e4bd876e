package effects

import (
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"
	volcano "volcano.sh/apis/pkg/apis/scheduling/v1beta1"

	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/gang"
)

func newPodGroup(t *testing.T, status volcano.PodGroupStatus) *unstructured.Unstructured {
	t.Helper()
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&volcano.PodGroup{
		ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "g", UID: "uid-g"}, Status: status,
	})
	if err != nil {
		t.Fatal(err)
	}
	u := &unstructured.Unstructured{Object: content}
	u.SetGroupVersionKind(volcano.SchemeGroupVersion.WithKind(podGroupKind))
	return u
}

func (b *bench) podGroup() volcano.PodGroupStatus {
	b.t.Helper()
	u, err := b.dynamic.Resource(volcanoGroups.resource).Namespace("team").Get(b.t.Context(), "g", metav1.GetOptions{})
	if err != nil {
		b.t.Fatal(err)
	}
	var pg volcano.PodGroup
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, &pg); err != nil {
		b.t.Fatal(err)
	}
	return pg.Status
}

func TestPodGroupGetsPhaseNumbersAndConditionInOneWrite(t *testing.T) {
	b := newBench(t, newPodGroup(t, volcano.PodGroupStatus{}))
	p := b.addPod("p")
	b.Do(core.Status{Gang: podGroup, Owner: group, Phase: core.Waiting, Bound: 0, Min: 2})
	b.Do(explain(group, podGroup, gang.NoRoom, p))
	b.flush(podGroup)
	b.writes("create events", "patch pods/status", "patch podgroups/status")
	b.clock.Step(passing)
	b.flush(podGroup)
	b.writes()
	s := b.podGroup()
	if s.Phase != volcano.PodGroupPending || s.Succeeded != 4 || s.Failed != 1 {
		t.Errorf("status %+v", s)
	}
	if len(s.Conditions) != 1 || s.Conditions[0].Type != volcano.PodGroupUnschedulableType || s.Conditions[0].Reason != volcano.NotEnoughResourcesReason {
		t.Errorf("conditions %+v", s.Conditions)
	}

	b.Do(core.Status{Gang: podGroup, Owner: group, Phase: core.Started, Bound: 2, Min: 2})
	b.Do(explain(group, podGroup, gang.Running))
	b.flush(podGroup)
	b.writes("create events", "patch podgroups/status")
	if s := b.podGroup(); s.Phase != volcano.PodGroupRunning || s.Running != 2 || s.Conditions[0].Type != volcano.PodGroupScheduled {
		t.Errorf("status %+v", s)
	}

	b.Do(core.Status{Gang: podGroup, Owner: group, Phase: core.Leaving, Bound: 1, Min: 2})
	b.Do(explain(group, podGroup, gang.Leaving))
	b.clock.Step(passing)
	b.flush(podGroup)
	b.writes("create events", "patch podgroups/status")
	if s := b.podGroup(); s.Phase != volcano.PodGroupUnknown || s.Conditions[0].Type != volcano.PodGroupUnschedulableType || s.Conditions[0].Reason != "Leaving" {
		t.Errorf("status %+v", s)
	}
}

// Its owner waits for Inqueue before it creates pods, so that must not wait for
// the pods.
func TestEmptyPodGroupIsEnqueuedAtOnce(t *testing.T) {
	b := newBench(t, newPodGroup(t, volcano.PodGroupStatus{}))
	b.Do(core.Status{Gang: podGroup, Owner: group, Phase: core.Collecting, Min: 2})
	b.clock.Step(gather)
	b.flush(podGroup)
	b.writes("patch podgroups/status")
	if s := b.podGroup(); s.Phase != volcano.PodGroupInqueue {
		t.Errorf("status %+v", s)
	}
}

func TestPodGroupStatusThatIsTrueAlreadyIsNotWritten(t *testing.T) {
	b := newBench(t, newPodGroup(t, volcano.PodGroupStatus{Phase: volcano.PodGroupRunning, Running: 2, Succeeded: 4, Failed: 1}))
	b.Do(core.Status{Gang: podGroup, Owner: group, Phase: core.Started, Bound: 2, Min: 2})
	b.flush(podGroup)
	b.writes()
}

func TestPodGroupWithoutAStatusSubresourceIsWrittenDirectly(t *testing.T) {
	b := newBench(t, newPodGroup(t, volcano.PodGroupStatus{}))
	b.dynamic.PrependReactor("patch", "podgroups", func(a clienttesting.Action) (bool, runtime.Object, error) {
		if a.GetSubresource() == "status" {
			return true, nil, apierrors.NewNotFound(volcanoGroups.resource.GroupResource(), "g")
		}
		return false, nil, nil
	})
	b.Do(core.Status{Gang: podGroup, Owner: group, Phase: core.Started, Bound: 2, Min: 2})
	b.flush(podGroup)
	if s := b.podGroup(); s.Phase != volcano.PodGroupRunning {
		t.Fatalf("status %+v", s)
	}
}

func TestPodGroupOfTheSameNameIsLeftAlone(t *testing.T) {
	b := newBench(t, newPodGroup(t, volcano.PodGroupStatus{}))
	other := group
	other.UID = "uid-before"
	b.Do(core.Status{Gang: podGroup, Owner: other, Phase: core.Started})
	if b.flush(podGroup) {
		t.Fatal("it is to be tried again")
	}
	b.writes()
}

func TestPodGroupStatusIsTriedAgain(t *testing.T) {
	b := newBench(t, newPodGroup(t, volcano.PodGroupStatus{}))
	failNext(&b.dynamic.Fake, "patch", "podgroups", conflict)
	b.Do(explain(group, podGroup, gang.Running))
	if !b.flush(podGroup) || b.flush(podGroup) {
		t.Fatal("it was to be tried once more")
	}
	b.writes("create events", "patch podgroups/status", "patch podgroups/status")
}

func TestStatusOfOtherOwnersIsNotWritten(t *testing.T) {
	b := newBench(t)
	b.Do(core.Status{Gang: app, Owner: driver, Phase: core.Started})
	b.Do(core.Release{Gang: app})
	if len(b.works) != 0 {
		t.Fatalf("to be written: %v", b.works)
	}
}

type counts struct{ members, bound, min int }

func TestPhase(t *testing.T) {
	whole, short, none, nobody := counts{2, 2, 2}, counts{2, 1, 2}, counts{2, 0, 2}, counts{0, 0, 2}
	for _, c := range []struct {
		phase  core.Phase
		counts counts
		before volcano.PodGroupPhase
		want   volcano.PodGroupPhase
	}{
		{core.Collecting, none, "", volcano.PodGroupPending},
		{core.Collecting, nobody, "", volcano.PodGroupInqueue},
		{core.Collecting, none, volcano.PodGroupInqueue, volcano.PodGroupInqueue},
		{core.Collecting, nobody, volcano.PodGroupPending, volcano.PodGroupInqueue},
		{core.Collecting, nobody, volcano.PodGroupRunning, volcano.PodGroupCompleted},
		{core.Collecting, nobody, volcano.PodGroupCompleted, volcano.PodGroupCompleted},
		{core.Waiting, none, volcano.PodGroupInqueue, volcano.PodGroupPending},
		{core.Storing, none, volcano.PodGroupPending, volcano.PodGroupInqueue},
		{core.Starting, none, volcano.PodGroupPending, volcano.PodGroupInqueue},
		{core.Started, short, volcano.PodGroupInqueue, volcano.PodGroupInqueue},
		{core.Started, whole, volcano.PodGroupInqueue, volcano.PodGroupRunning},
		{core.Started, short, volcano.PodGroupRunning, volcano.PodGroupUnknown},
		{core.Started, whole, volcano.PodGroupUnknown, volcano.PodGroupRunning},
		{core.Leaving, whole, volcano.PodGroupRunning, volcano.PodGroupUnknown},
		{core.Collecting, none, volcano.PodGroupRunning, volcano.PodGroupCompleted},
		{core.Collecting, none, volcano.PodGroupCompleted, volcano.PodGroupCompleted},
		{core.Waiting, none, volcano.PodGroupCompleted, volcano.PodGroupPending},
	} {
		got := phase(core.Status{Phase: c.phase, Members: c.counts.members, Bound: c.counts.bound, Min: c.counts.min}, c.before)
		if got != c.want {
			t.Errorf("%s with %d of %d bound after %q: %s, want %s", c.phase, c.counts.bound, c.counts.min, c.before, got, c.want)
		}
	}
}
