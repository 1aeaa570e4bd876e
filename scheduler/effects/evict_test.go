package effects

import (
	"context"
	"errors"
	"slices"
	"testing"

	v1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clienttesting "k8s.io/client-go/testing"

	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/gang"
)

const budgetSays = "The disruption budget b needs 2 healthy pods and has 2 currently"

func refusedByBudget() error {
	err := apierrors.NewTooManyRequests("Cannot evict pod as it would violate the pod's disruption budget.", 0)
	err.ErrStatus.Details.Causes = append(err.ErrStatus.Details.Causes, metav1.StatusCause{Type: policyv1.DisruptionBudgetCause, Message: budgetSays})
	return err
}

// evict wants a member of the PodGroup evicted.
func (b *bench) evict(id gang.PodID) {
	b.Do(core.Evict{Gang: podGroup, Pod: id, Reason: "its gang goes"})
}

// try tries the evictions that are due.
func (b *bench) try() {
	b.t.Helper()
	for b.evictions.queue.Len() > 0 {
		b.evictions.next(b.t.Context())
	}
}

// tryLater ends the pause before the given try of an eviction.
func (b *bench) tryLater(id gang.PodID, try int) {
	b.t.Helper()
	if n := b.evictions.queue.NumRequeues(id); n != try {
		b.t.Fatalf("%s is to be tried again %d times, want %d", id, n, try)
	}
	b.evictions.queue.Add(id)
	b.try()
}

// answered checks what core was told since the last call.
func (b *bench) answered(want ...core.Event) {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if !slices.Equal(b.posted, want) {
		b.t.Fatalf("core is told %+v, want %+v", b.posted, want)
	}
	b.posted = nil
}

func TestAPodIsEvictedByItsUID(t *testing.T) {
	b := newBench(t)
	pod := b.addPod("w")
	var sent *policyv1.Eviction
	b.client.PrependReactor("create", "pods/eviction", func(a clienttesting.Action) (bool, runtime.Object, error) {
		sent = a.(clienttesting.CreateAction).GetObject().(*policyv1.Eviction)
		return true, nil, nil
	})
	b.evict(pod)
	b.try()
	b.writes("create pods/eviction", "create events")
	b.answered(core.Evicted{ID: pod})
	if uid := sent.DeleteOptions.Preconditions.UID; sent.Name != "w" || sent.Namespace != "team" || uid == nil || string(*uid) != string(pod) {
		t.Errorf("sent is %+v", sent)
	}
	told, err := b.client.EventsV1().Events("team").List(t.Context(), metav1.ListOptions{})
	if err != nil || len(told.Items) != 1 || told.Items[0].Note != "its gang goes" || string(told.Items[0].Regarding.UID) != string(pod) {
		t.Errorf("it is told %+v, %v", told, err)
	}
}

func TestWhatABudgetRefusesIsTriedUntilItIsDone(t *testing.T) {
	b := newBench(t)
	pod := b.addPod("w")
	failNext(&b.client.Fake, "create", "pods/eviction", refusedByBudget(), refusedByBudget(), conflict, timeout)
	b.evict(pod)
	b.try()
	b.answered(core.Evicted{ID: pod, Err: budgetSays, Again: true})
	for i := range 3 {
		b.tryLater(pod, i+1)
		b.answered() // once is enough
	}
	b.tryLater(pod, 4)
	b.answered(core.Evicted{ID: pod})
}

func TestAnEvictionThatCannotSucceedIsGivenUpAndTold(t *testing.T) {
	b := newBench(t)
	pod := b.addPod("w")
	failNext(&b.client.Fake, "create", "pods/eviction", forbidden)
	b.evict(pod)
	b.try()
	b.answered(core.Evicted{ID: pod, Err: "evict pod team/w: " + forbidden.Error()})
	b.evict(pod) // core has decided anew
	b.try()
	b.answered(core.Evicted{ID: pod})
}

func TestNothingIsSentForAPodThatIsNotThere(t *testing.T) {
	for name, change := range map[string]func(*bench, gang.PodID){
		"gone":             func(b *bench, id gang.PodID) { delete(b.pods, id) },
		"has ended":        func(b *bench, id gang.PodID) { b.pods[id].Status.Phase = v1.PodSucceeded },
		"is being deleted": func(b *bench, id gang.PodID) { b.pods[id].DeletionTimestamp = &metav1.Time{Time: start} },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			pod := b.addPod("w")
			change(b, pod)
			b.evict(pod)
			b.try()
			b.writes()
			b.answered(core.Evicted{ID: pod})
		})
	}
}

func TestAPodThatIsGoneWhenItIsEvictedIsDone(t *testing.T) {
	b := newBench(t)
	pod := b.addPod("w")
	failNext(&b.client.Fake, "create", "pods/eviction", apierrors.NewNotFound(schema.GroupResource{}, "w"))
	b.evict(pod)
	b.try()
	b.answered(core.Evicted{ID: pod})
}

func TestASparedPodIsNotTriedAgain(t *testing.T) {
	b := newBench(t)
	first, second := b.addPod("w"), b.addPod("v")
	failNext(&b.client.Fake, "create", "pods/eviction", refusedByBudget())
	b.evict(first)
	b.try()
	b.writes("create pods/eviction")
	b.evict(second)
	b.Do(core.Spare{Gang: podGroup, Pod: first})
	b.Do(core.Spare{Gang: podGroup, Pod: second})
	b.tryLater(first, 1)
	b.writes()
	if len(b.evictions.wanted) != 0 {
		t.Errorf("still wanted are %v", b.evictions.wanted)
	}
}

func TestNoEvictionIsSentAfterTheEnd(t *testing.T) {
	b := newBench(t)
	pod := b.addPod("w")
	sent := make(chan struct{})
	b.client.PrependReactor("create", "pods/eviction", func(clienttesting.Action) (bool, runtime.Object, error) {
		close(sent)
		return true, nil, nil
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); b.Run(ctx) }()
	b.evict(pod)
	<-sent
	cancel()
	<-done
	b.client.ClearActions()
	b.evict(b.addPod("v"))
	b.writes()
}

func TestRefusalNamesTheBudget(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{refusedByBudget(), budgetSays},
		{errors.New("connection refused"), "connection refused"},
	} {
		if got := refusal(c.err); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}
