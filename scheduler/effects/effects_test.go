package effects

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	dynamicfake "k8s.io/client-go/dynamic/fake"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	clocktesting "k8s.io/utils/clock/testing"
	volcano "volcano.sh/apis/pkg/apis/scheduling/v1beta1"

	"muster.sh/muster/api/v1alpha1"
	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/gang"
)

var (
	start  = time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)
	driver = gang.Object{APIVersion: "v1", Kind: "Pod", Namespace: "team", Name: "d", UID: "uid-d"}
	group  = gang.Object{APIVersion: "scheduling.volcano.sh/v1beta1", Kind: "PodGroup", Namespace: "team", Name: "g", UID: "uid-g"}
)

const (
	app      = gang.ID("spark/team/app")
	podGroup = gang.ID("podgroup/team/g")
)

// bench is Effects on fake clients, with a record of writes in their order.
type bench struct {
	*Effects
	t       *testing.T
	client  *fake.Clientset
	dynamic *dynamicfake.FakeDynamicClient
	clock   *clocktesting.FakeClock
	pods    map[gang.PodID]*v1.Pod

	mu     sync.Mutex
	posted []core.Event
}

func newBench(t *testing.T, custom ...runtime.Object) *bench {
	t.Helper()
	b := &bench{t: t, client: fake.NewClientset(), clock: clocktesting.NewFakeClock(start), pods: map[gang.PodID]*v1.Pod{}}
	b.dynamic = dynamicfake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), map[schema.GroupVersionResource]string{
		v1alpha1.ReservationResource: "ReservationList", podGroupResource: "PodGroupList",
	}, custom...)
	var err error
	b.Effects, err = New(Config{
		Client: b.client, Dynamic: b.dynamic, SchedulerName: "muster", Instance: "muster-test", Clock: b.clock,
		Post:  func(e core.Event) { b.mu.Lock(); defer b.mu.Unlock(); b.posted = append(b.posted, e) },
		Pod:   func(id gang.PodID) *v1.Pod { return b.pods[id] },
		Ended: func(gang.ID) (int, int) { return 4, 1 },
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// addPod makes a pod that waits.
func (b *bench) addPod(name string, options ...func(*v1.Pod)) gang.PodID {
	b.t.Helper()
	p := &v1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: name, UID: types.UID("uid-" + name)}}
	for _, o := range options {
		o(p)
	}
	if _, err := b.client.CoreV1().Pods("team").Create(b.t.Context(), p, metav1.CreateOptions{}); err != nil {
		b.t.Fatal(err)
	}
	b.client.ClearActions()
	b.pods[gang.PodID(p.UID)] = p
	return gang.PodID(p.UID)
}

// flush carries out what is due for a gang in a moment, in this goroutine, and
// reports whether something is left to be tried again.
func (b *bench) flush(id gang.ID) (left bool) {
	b.clock.Step(gather)
	due, _ := b.take(id)
	rest := b.carryOut(b.t.Context(), due)
	if !rest.empty() {
		b.putBack(id, rest)
	}
	return !rest.empty()
}

// writes checks what was sent since the last call, failures included: events
// and pods first, then Reservations and PodGroups.
func (b *bench) writes(want ...string) {
	b.t.Helper()
	var got []string
	for _, f := range []*clienttesting.Fake{&b.client.Fake, &b.dynamic.Fake} {
		for _, a := range f.Actions() {
			if a.GetVerb() != "get" && a.GetVerb() != "list" {
				got = append(got, strings.TrimSuffix(a.GetVerb()+" "+a.GetResource().Resource+"/"+a.GetSubresource(), "/"))
			}
		}
		f.ClearActions()
	}
	if !slices.Equal(want, got) {
		b.t.Fatalf("sent %q, want %q", got, want)
	}
}

func (b *bench) acks() (out []core.ReservationStored) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range b.posted {
		out = append(out, e.(core.ReservationStored))
	}
	b.posted = nil
	return out
}

func (b *bench) reservation(name string) (*v1alpha1.Reservation, error) {
	u, err := b.dynamic.Resource(v1alpha1.ReservationResource).Namespace("team").Get(b.t.Context(), name, metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	r := &v1alpha1.Reservation{}
	return r, runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, r)
}

// failNext makes the next calls of a verb fail.
func failNext(f *clienttesting.Fake, verb, resource string, errs ...error) {
	f.PrependReactor(verb, resource, func(clienttesting.Action) (bool, runtime.Object, error) {
		if len(errs) == 0 {
			return false, nil, nil
		}
		err := errs[0]
		errs = errs[1:]
		return true, nil, err
	})
}

var (
	conflict  = apierrors.NewConflict(schema.GroupResource{}, "x", errors.New("somebody was faster"))
	timeout   = apierrors.NewTimeoutError("too slow", 1)
	forbidden = apierrors.NewForbidden(schema.GroupResource{}, "x", errors.New("no right"))
)

func storeSlots(epoch core.Epoch, nodes ...string) core.StoreReservation {
	d := core.StoreReservation{Gang: app, Owner: driver, Epoch: epoch}
	for _, n := range nodes {
		d.Slots = append(d.Slots, core.ReservedSlot{Role: "executor", Node: n})
	}
	return d
}

func TestReservationIsStoredOwnedAndAcknowledged(t *testing.T) {
	b := newBench(t)
	b.Do(storeSlots(7, "n2", "n1", "n2"))
	b.flush(app)
	r, err := b.reservation("spark.app")
	if err != nil {
		t.Fatal(err)
	}
	if len(r.OwnerReferences) != 1 || r.OwnerReferences[0].UID != "uid-d" || r.OwnerReferences[0].BlockOwnerDeletion != nil {
		t.Errorf("owners %+v", r.OwnerReferences)
	}
	if got := fmt.Sprint(r.Spec); got != "{spark/team/app {v1 Pod d uid-d} [{executor n1 1} {executor n2 2}]}" {
		t.Errorf("spec %s", got)
	}
	if acks := b.acks(); len(acks) != 1 || acks[0] != (core.ReservationStored{Gang: app, Epoch: 7}) {
		t.Errorf("acknowledged %v", acks)
	}
	b.writes("create reservations")
}

func TestReservationIsBroughtUpToDate(t *testing.T) {
	b := newBench(t)
	b.Do(storeSlots(1, "n1"))
	b.flush(app)
	b.Do(storeSlots(0, "n2"))
	b.flush(app)
	if r, err := b.reservation("spark.app"); err != nil || r.Spec.Slots[0].Node != "n2" {
		t.Fatalf("%v, %v", r, err)
	}
	b.writes("create reservations", "update reservations")
	b.Do(storeSlots(0, "n2"))
	b.flush(app)
	b.writes() // it is as it should be
	if acks := b.acks(); len(acks) != 1 {
		t.Errorf("acknowledged %v", acks)
	}
}

func TestReservationThatWasLostIsMadeAgain(t *testing.T) {
	b := newBench(t)
	b.Do(storeSlots(0, "n1"))
	b.flush(app)
	b.Do(storeSlots(5, "n2")) // it is there, though a new one was expected
	b.flush(app)
	b.writes("create reservations", "create reservations", "update reservations")
	if r, err := b.reservation("spark.app"); err != nil || r.Spec.Slots[0].Node != "n2" {
		t.Fatalf("%v, %v", r, err)
	}
}

func TestReservationIsTriedAgainUntilItIsStored(t *testing.T) {
	for name, prepare := range map[string]func(*bench){
		"when the API server is slow": func(b *bench) { failNext(&b.dynamic.Fake, "create", "reservations", timeout) },
		"when it was changed meanwhile": func(b *bench) {
			b.Do(storeSlots(0, "n9"))
			b.flush(app)
			failNext(&b.dynamic.Fake, "update", "reservations", conflict)
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			prepare(b)
			b.Do(storeSlots(3, "n1"))
			if !b.flush(app) || len(b.acks()) != 0 {
				t.Fatal("a failure was taken for an end")
			}
			if b.flush(app) {
				t.Fatal("it is still to be tried again")
			}
			if acks := b.acks(); len(acks) != 1 || acks[0].Err != "" || acks[0].Epoch != 3 {
				t.Fatalf("acknowledged %v", acks)
			}
			if r, err := b.reservation("spark.app"); err != nil || r.Spec.Slots[0].Node != "n1" {
				t.Fatalf("%v, %v", r, err)
			}
		})
	}
}

func TestReservationThatIsRefusedIsAcknowledgedWithTheReason(t *testing.T) {
	b := newBench(t)
	failNext(&b.dynamic.Fake, "create", "reservations", forbidden)
	b.Do(storeSlots(3, "n1"))
	if b.flush(app) {
		t.Fatal("it is to be tried again")
	}
	if acks := b.acks(); len(acks) != 1 || acks[0].Epoch != 3 || !strings.Contains(acks[0].Err, "no right") {
		t.Fatalf("acknowledged %v", acks)
	}
}

func TestOvertakenReservationIsNotSentButAcknowledged(t *testing.T) {
	b := newBench(t)
	b.Do(storeSlots(1, "n1"))
	b.Do(storeSlots(0, "n2"))
	b.flush(app)
	b.writes("create reservations")
	if acks := b.acks(); len(acks) != 1 || acks[0].Epoch != 1 {
		t.Fatalf("acknowledged %v", acks)
	}
	failNext(&b.dynamic.Fake, "update", "reservations", timeout)
	b.Do(storeSlots(2, "n3"))
	b.flush(app)
	b.Do(storeSlots(0, "n4")) // comes while the first waits to be tried again
	b.flush(app)
	if acks := b.acks(); len(acks) != 1 || acks[0].Epoch != 2 {
		t.Fatalf("acknowledged %v", acks)
	}
	if r, _ := b.reservation("spark.app"); r.Spec.Slots[0].Node != "n4" {
		t.Fatalf("an older state won: %+v", r.Spec)
	}
}

func TestReservationIsDropped(t *testing.T) {
	b := newBench(t)
	b.Do(storeSlots(1, "n1"))
	b.flush(app)
	b.acks()
	b.Do(storeSlots(2, "n1"))
	b.Do(core.DropReservation{Gang: app}) // before the second was sent
	b.flush(app)
	if _, err := b.reservation("spark.app"); !apierrors.IsNotFound(err) {
		t.Fatalf("it is still there: %v", err)
	}
	if acks := b.acks(); len(acks) != 0 {
		t.Fatalf("acknowledged a plan that was given up: %v", acks)
	}
	b.Do(core.DropReservation{Gang: app})
	if b.flush(app) {
		t.Fatal("to drop what is not there failed")
	}
}

func TestReservationNames(t *testing.T) {
	for id, want := range map[gang.ID]string{
		"spark/team/spark-0123abcd":                       "spark.spark-0123abcd",
		"spark/team/App_1":                                "gang-",
		"spark/team/a/b":                                  "gang-",
		gang.ID("spark/team/" + strings.Repeat("a", 300)): "gang-",
	} {
		if got := reservationName(id); !strings.HasPrefix(got, want) || len(got) > 253 {
			t.Errorf("%s: %s, want %s", id, got, want)
		}
	}
	if reservationName("spark/team/A") == reservationName("spark/team/B") {
		t.Error("two gangs share a name")
	}
}

func explain(owner gang.Object, id gang.ID, code gang.Code, waiting ...gang.PodID) core.Explain {
	return core.Explain{Gang: id, Owner: owner, Verdict: gang.Verdict{Code: code, Detail: "because"}, Waiting: waiting}
}

func (b *bench) events() (out []string) {
	b.t.Helper()
	list, err := b.client.EventsV1().Events("team").List(b.t.Context(), metav1.ListOptions{})
	if err != nil {
		b.t.Fatal(err)
	}
	for _, e := range list.Items {
		out = append(out, fmt.Sprintf("%s %s on %s %s: %s", e.Type, e.Reason, e.Regarding.Kind, e.Regarding.Name, e.Note))
	}
	return out
}

func (b *bench) scheduled(name string) *v1.PodCondition {
	b.t.Helper()
	p, err := b.client.CoreV1().Pods("team").Get(b.t.Context(), name, metav1.GetOptions{})
	if err != nil {
		b.t.Fatal(err)
	}
	for _, c := range p.Status.Conditions {
		if c.Type == v1.PodScheduled {
			return &c
		}
	}
	return nil
}

func TestVerdictIsShownByOneEventAndOneCondition(t *testing.T) {
	b := newBench(t)
	e, d := b.addPod("e"), b.addPod("d")
	b.Do(explain(driver, app, gang.NoRoom, e, d))
	b.flush(app)
	b.writes("create events", "patch pods/status")
	if got := b.events(); len(got) != 1 || got[0] != "Normal GangNoRoom on Pod d: not enough room: because" {
		t.Errorf("events %q", got)
	}
	if c := b.scheduled("d"); c == nil || c.Status != v1.ConditionFalse || c.Reason != v1.PodReasonUnschedulable || c.Message != "not enough room: because" {
		t.Errorf("condition %+v", c)
	}
	if c := b.scheduled("e"); c != nil {
		t.Errorf("the executor has a condition too: %+v", c)
	}
}

func TestOnlyLackOfRoomCallsTheAutoscaler(t *testing.T) {
	for code, reason := range map[gang.Code]string{
		gang.NoRoom: v1.PodReasonUnschedulable, gang.TooBig: v1.PodReasonUnschedulable, gang.Behind: v1.PodReasonUnschedulable,
		gang.Vetoed: v1.PodReasonUnschedulable, gang.Short: v1.PodReasonUnschedulable,
		gang.Refused: "GangRefused", gang.Collecting: "GangCollecting",
	} {
		b := newBench(t)
		d := b.addPod("d")
		b.Do(explain(driver, app, code, d))
		b.clock.Step(time.Minute)
		b.flush(app)
		if c := b.scheduled("d"); c == nil || c.Reason != reason {
			t.Errorf("%s: condition %+v, want reason %s", code, c, reason)
		}
	}
}

func TestStatesThatPassAreNotShown(t *testing.T) {
	b := newBench(t)
	d := b.addPod("d")
	for _, code := range []gang.Code{gang.Collecting, gang.Behind, gang.Reserved} {
		b.Do(explain(driver, app, code, d))
		b.flush(app)
		b.writes()
		b.clock.Step(passing / 2)
	}
	b.Do(explain(driver, app, gang.Running))
	b.flush(app)
	b.writes("create events")
	if got := b.events(); len(got) != 1 || !strings.HasPrefix(got[0], "Normal GangRunning") {
		t.Errorf("events %q", got)
	}
}

func TestStatesThatLastAreShown(t *testing.T) {
	b := newBench(t)
	d := b.addPod("d")
	b.Do(explain(driver, app, gang.Collecting, d))
	b.clock.Step(passing)
	b.flush(app)
	b.writes("create events", "patch pods/status")
}

func TestVerdictOfAGangThatNobodyDeclaredIsShownOnAPod(t *testing.T) {
	b := newBench(t)
	p := b.addPod("p")
	b.Do(explain(gang.Object{}, podGroup, gang.Collecting, "uid-unknown", p))
	b.clock.Step(passing)
	b.flush(podGroup)
	if got := b.events(); len(got) != 1 || !strings.Contains(got[0], "on Pod p") {
		t.Errorf("events %q", got)
	}
}

func TestPodsThatRunKeepTheirCondition(t *testing.T) {
	b := newBench(t)
	d := b.addPod("d", func(p *v1.Pod) { p.Spec.NodeName = "n1" })
	e := b.addPod("e")
	b.Do(explain(driver, app, gang.Short, d, e))
	b.flush(app)
	if b.scheduled("d") != nil || b.scheduled("e") == nil {
		t.Errorf("conditions: driver %v, executor %v", b.scheduled("d"), b.scheduled("e"))
	}
}

func TestTransitionTimeIsThatOfTheTransition(t *testing.T) {
	before := metav1.NewTime(start.Add(-time.Hour))
	b := newBench(t)
	d := b.addPod("d", func(p *v1.Pod) {
		p.Status.Conditions = []v1.PodCondition{{Type: v1.PodScheduled, Status: v1.ConditionFalse, Reason: "GangCollecting", LastTransitionTime: before}}
	})
	b.Do(explain(driver, app, gang.NoRoom, d))
	b.flush(app)
	if c := b.scheduled("d"); !c.LastTransitionTime.Equal(&before) || c.Reason != v1.PodReasonUnschedulable {
		t.Errorf("condition %+v", c)
	}
}

func TestShowingIsTriedAgainWithoutSayingAnythingTwice(t *testing.T) {
	b := newBench(t)
	d := b.addPod("d")
	failNext(&b.client.Fake, "create", "events", timeout)
	failNext(&b.client.Fake, "patch", "pods", timeout)
	b.Do(explain(driver, app, gang.NoRoom, d))
	for b.flush(app) {
	}
	b.writes("create events", "create events", "patch pods/status", "patch pods/status")
	if len(b.events()) != 1 || b.scheduled("d") == nil {
		t.Fatalf("events %q, condition %v", b.events(), b.scheduled("d"))
	}
}

func TestAnEventThatArrivedInSpiteOfATimeoutIsNotDoubled(t *testing.T) {
	b := newBench(t)
	b.Do(explain(driver, app, gang.NoRoom))
	b.clock.Step(gather)
	due, _ := b.take(app)
	again := *due.explain
	b.carryOut(t.Context(), due)
	b.carryOut(t.Context(), work{explain: &again})
	if got := b.events(); len(got) != 1 {
		t.Fatalf("events %q", got)
	}
}

func TestOldVerdictGivesWayToANewOneWhileItIsTriedAgain(t *testing.T) {
	b := newBench(t)
	failNext(&b.client.Fake, "create", "events", timeout)
	b.Do(explain(driver, app, gang.NoRoom))
	b.flush(app)
	b.Do(explain(driver, app, gang.Running))
	b.flush(app)
	if got := b.events(); len(got) != 1 || !strings.Contains(got[0], "GangRunning") {
		t.Fatalf("events %q", got)
	}
}

func TestPodThatIsGoneNeedsNoCondition(t *testing.T) {
	b := newBench(t)
	d := b.addPod("d")
	if err := b.client.CoreV1().Pods("team").Delete(t.Context(), "d", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	b.Do(explain(driver, app, gang.NoRoom, d))
	if b.flush(app) {
		t.Fatal("it is to be tried again")
	}
}

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
	u, err := b.dynamic.Resource(podGroupResource).Namespace("team").Get(b.t.Context(), "g", metav1.GetOptions{})
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
	b.clock.Step(passing)
	b.flush(podGroup)
	b.writes("create events", "patch pods/status", "patch podgroups/status")
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
}

func TestPodGroupWithoutAStatusSubresourceIsWrittenDirectly(t *testing.T) {
	b := newBench(t, newPodGroup(t, volcano.PodGroupStatus{}))
	b.dynamic.PrependReactor("patch", "podgroups", func(a clienttesting.Action) (bool, runtime.Object, error) {
		if a.GetSubresource() == "status" {
			return true, nil, apierrors.NewNotFound(podGroupResource.GroupResource(), "g")
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

func TestPhase(t *testing.T) {
	whole, short, none := [2]int{2, 2}, [2]int{1, 2}, [2]int{0, 2}
	for _, c := range []struct {
		phase  core.Phase
		bound  [2]int
		before volcano.PodGroupPhase
		want   volcano.PodGroupPhase
	}{
		{core.Collecting, none, "", volcano.PodGroupPending},
		{core.Waiting, none, volcano.PodGroupInqueue, volcano.PodGroupPending},
		{core.Storing, none, volcano.PodGroupPending, volcano.PodGroupInqueue},
		{core.Starting, none, volcano.PodGroupPending, volcano.PodGroupInqueue},
		{core.Started, short, volcano.PodGroupInqueue, volcano.PodGroupInqueue},
		{core.Started, whole, volcano.PodGroupInqueue, volcano.PodGroupRunning},
		{core.Started, short, volcano.PodGroupRunning, volcano.PodGroupUnknown},
		{core.Started, whole, volcano.PodGroupUnknown, volcano.PodGroupRunning},
		{core.Collecting, none, volcano.PodGroupRunning, volcano.PodGroupCompleted},
		{core.Collecting, none, volcano.PodGroupCompleted, volcano.PodGroupCompleted},
		{core.Waiting, none, volcano.PodGroupCompleted, volcano.PodGroupPending},
	} {
		got := phase(core.Status{Phase: c.phase, Bound: c.bound[0], Min: c.bound[1]}, c.before)
		if got != c.want {
			t.Errorf("%s with %d of %d bound after %q: %s, want %s", c.phase, c.bound[0], c.bound[1], c.before, got, c.want)
		}
	}
}

func TestRunCarriesOutWhatIsGivenToItAndStops(t *testing.T) {
	b := newBench(t)
	ctx, cancel := context.WithCancel(t.Context())
	written := make(chan struct{}, 100)
	b.dynamic.PrependReactor("create", "reservations", func(clienttesting.Action) (bool, runtime.Object, error) {
		written <- struct{}{}
		return false, nil, nil
	})
	done := make(chan struct{})
	go func() { defer close(done); b.Run(ctx) }()
	for i := range 20 {
		d := storeSlots(core.Epoch(i+1), "n1")
		d.Gang = gang.ID(fmt.Sprintf("spark/team/app-%d", i))
		b.Do(d)
	}
	for range 20 {
		<-written
	}
	cancel()
	<-done
	before := len(b.dynamic.Actions())
	b.Do(storeSlots(99, "n1"))
	if after := len(b.dynamic.Actions()); after != before {
		t.Fatal("something was written after the end")
	}
}

func TestPasses(t *testing.T) {
	for _, err := range []error{conflict, timeout, context.DeadlineExceeded, errors.New("connection refused"),
		apierrors.NewTooManyRequests("slow down", 1), apierrors.NewUnauthorized("token expired"), apierrors.NewInternalError(errors.New("x"))} {
		if !passes(err) {
			t.Errorf("%v is not tried again", err)
		}
	}
	for _, err := range []error{nil, forbidden, apierrors.NewNotFound(schema.GroupResource{}, "x"), apierrors.NewBadRequest("x"),
		apierrors.NewInvalid(schema.GroupKind{}, "x", nil)} {
		if passes(err) {
			t.Errorf("%v is tried again", err)
		}
	}
}
