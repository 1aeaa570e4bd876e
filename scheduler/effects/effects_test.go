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
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	dynamicfake "k8s.io/client-go/dynamic/fake"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	clocktesting "k8s.io/utils/clock/testing"

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
		v1alpha1.ReservationResource: "ReservationList", volcanoGroups.resource: "PodGroupList",
		coschedulingGroups.resource: "PodGroupList", kubernetesGroups.resource: "PodGroupList",
		requestAPIs[ProvisioningRequest].resource: "ProvisioningRequestList", requestAPIs[CapacityBuffer].resource: "CapacityBufferList",
		podTemplates: "PodTemplateList", volcanoQueues: "QueueList",
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
