package plugin

import (
	"context"
	"errors"
	"net"
	"syscall"
	"testing"
	"time"

	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"muster.sh/muster/scheduler/core"
)

var impatience = wait.Backoff{Duration: time.Microsecond, Factor: 1, Steps: 4}

var (
	podsResource = schema.GroupResource{Resource: "pods"}
	conflict     = apierrors.NewConflict(podsResource, "p", errors.New("already assigned"))
	refused      = &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
)

func TestABindIsTriedAgainAsLongAsItMaySucceed(t *testing.T) {
	for name, tc := range map[string]struct {
		answers []error // the last one is repeated
		now     *v1.Pod // what the API server has
		fails   bool
		tries   int
	}{
		"it works":                               {answers: []error{nil}, tries: 1},
		"the server is away for a moment":        {answers: []error{refused, refused, nil}, tries: 3},
		"the server is overloaded for a moment":  {answers: []error{apierrors.NewTooManyRequests("", 1), apierrors.NewServiceUnavailable(""), nil}, tries: 3},
		"the server stays away":                  {answers: []error{refused}, fails: true, tries: 4},
		"the answer was lost, the bind was not":  {answers: []error{apierrors.NewTimeoutError("", 1), conflict}, now: podOn("n", "p", "1", "1Gi"), tries: 2},
		"somebody has bound it elsewhere":        {answers: []error{conflict}, now: podOn("other", "p", "1", "1Gi"), fails: true, tries: 1},
		"it is another pod of the same name":     {answers: []error{conflict}, now: renamed(podOn("n", "p", "1", "1Gi")), fails: true, tries: 1},
		"the pod is gone":                        {answers: []error{apierrors.NewNotFound(podsResource, "p")}, fails: true, tries: 1},
		"it may not bind":                        {answers: []error{apierrors.NewForbidden(podsResource, "p", errors.New("no"))}, fails: true, tries: 1},
		"the pod is gone when it is looked at":   {answers: []error{conflict}, fails: true, tries: 1},
		"a conflict, though it has no node yet":  {answers: []error{conflict}, now: podOn("", "p", "1", "1Gi"), fails: true, tries: 1},
		"the server has an internal error, once": {answers: []error{apierrors.NewInternalError(errors.New("x")), nil}, tries: 2},
	} {
		t.Run(name, func(t *testing.T) {
			client := fake.NewClientset()
			if tc.now != nil {
				client = fake.NewClientset(tc.now)
			}
			tries := 0
			client.PrependReactor("create", "pods", func(a clienttesting.Action) (bool, runtime.Object, error) {
				if a.GetSubresource() != "binding" {
					return false, nil, nil
				}
				answer := tc.answers[min(tries, len(tc.answers)-1)]
				tries++
				return true, nil, answer
			})
			err := bind(t.Context(), client, newTurns().join(), podOn("", "p", "1", "1Gi"), "n", always, impatience)
			if (err != nil) != tc.fails || tries != tc.tries {
				t.Errorf("after %d tries: %v", tries, err)
			}
			if err != nil && wait.Interrupted(err) {
				t.Errorf("the cause is lost: %v", err)
			}
		})
	}
}

func always() bool { return true }

// While a bind is tried again the node may go, or its room; then the pod has
// another place, or none.
func TestABindIsNotTriedAgainWhenItIsNotMeantAnyMore(t *testing.T) {
	for name, tc := range map[string]struct {
		now  *v1.Pod
		want error
	}{
		"it has not happened":                   {podOn("", "p", "1", "1Gi"), errTakenBack},
		"it has happened, the answer was lost":  {podOn("n", "p", "1", "1Gi"), nil},
		"somebody has bound it elsewhere":       {podOn("other", "p", "1", "1Gi"), errTakenBack},
		"the pod was made anew in the meantime": {renamed(podOn("n", "p", "1", "1Gi")), errTakenBack},
	} {
		t.Run(name, func(t *testing.T) {
			client, tries := fake.NewClientset(tc.now), 0
			client.PrependReactor("create", "pods", func(clienttesting.Action) (bool, runtime.Object, error) {
				tries++
				return true, nil, refused
			})
			meant := func() bool { return tries < 2 }
			err := bind(t.Context(), client, newTurns().join(), podOn("", "p", "1", "1Gi"), "n", meant, impatience)
			if !errors.Is(err, tc.want) || tries != 2 {
				t.Errorf("after %d tries: %v", tries, err)
			}
		})
	}
}

func renamed(p *v1.Pod) *v1.Pod {
	p.UID = "another"
	return p
}

func TestABindEndsWithItsContext(t *testing.T) {
	client := fake.NewClientset()
	ctx, cancel := context.WithCancel(t.Context())
	client.PrependReactor("create", "pods", func(clienttesting.Action) (bool, runtime.Object, error) {
		cancel()
		return true, nil, refused
	})
	forEver := wait.Backoff{Duration: time.Hour, Factor: 1, Steps: 4}
	if err := bind(ctx, client, newTurns().join(), podOn("", "p", "1", "1Gi"), "n", always, forEver); !errors.Is(err, refused) {
		t.Errorf("got %v", err)
	}
}

func TestAMemberIsBoundOnlyThroughTheLatch(t *testing.T) {
	m := member(podOn("", "m", "1", "1Gi"))
	r := newRig(t, []*v1.Node{node("n", "9", "9Gi", "")})
	if err := r.fake.Tracker().Add(m); err != nil {
		t.Fatal(err)
	}
	binds := func() int {
		n := 0
		for _, a := range r.fake.Actions() {
			if a.Matches("create", "pods/binding") {
				n++
			}
		}
		return n
	}
	r.board.places["m"] = core.Placement{Gang: "g", Node: "n", Epoch: 1}
	state, _, _ := r.begin(t, m)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var refusal *Refusal
	if status := r.Bind(ctx, state, m, "n"); !errors.As(status.AsError(), &refusal) || !refusal.Stale || binds() != 0 {
		t.Fatalf("shut: %v, %d binds", status, binds())
	}
	r.Latch.Open("g", 1)
	if status := r.Bind(t.Context(), state, m, "n"); !status.IsSuccess() || binds() != 1 {
		t.Errorf("open: %v, %d binds", status, binds())
	}
	r.fake.PrependReactor("create", "pods", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewNotFound(podsResource, "m")
	})
	if status := r.Bind(t.Context(), state, m, "n"); !errors.As(status.AsError(), &refusal) || !refusal.BindFailed || !apierrors.IsNotFound(status.AsError()) {
		t.Errorf("failed: %v", status)
	}
	single := podOn("", "single", "1", "1Gi")
	state, _, _ = r.begin(t, single)
	r.Latch.Close()
	before := binds()
	if r.Bind(t.Context(), state, single, "n"); binds() != before+1 {
		t.Error("a single pod waited at the latch")
	}
}
