package effects

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"muster.sh/muster/api/v1alpha1"
	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/gang"
	own "muster.sh/muster/scheduler/resource"
)

const class = "best-effort-atomic-scale-up.autoscaling.x-k8s.io"

func asking(t *testing.T, how Autoscaling) *bench {
	t.Helper()
	b := newBench(t)
	b.cfg.Autoscaling = how
	return b
}

var executor = gang.Shape{Request: own.Vector{MilliCPU: 2000, Memory: 4 << 30, Pods: 1}}

// lack is a driver that has a pod, and executors that have none yet.
func lack(executors int, drivers ...gang.PodID) core.AskForRoom {
	return core.AskForRoom{Gang: app, Owner: driver, Lacks: []core.Lack{
		{Role: "driver", Pods: drivers}, {Role: "executor", Shape: executor, Expected: executors},
	}}
}

// settleAsks does what is to be done for a gang, and tells in how long it is to be
// looked at again.
func (b *bench) settleAsks() time.Duration {
	b.t.Helper()
	again, err := b.asks.do(b.t.Context(), errand{gang: app})
	if err != nil {
		b.t.Fatal(err)
	}
	return again
}

func (b *bench) list(of schema.GroupVersionResource) []unstructured.Unstructured {
	b.t.Helper()
	list, err := b.dynamic.Resource(of).Namespace("team").List(b.t.Context(), metav1.ListOptions{})
	if err != nil {
		b.t.Fatal(err)
	}
	return list.Items
}

// asked reads what is asked for, as "count cpu" of each template.
func (b *bench) asked(kind RequestKind) (out []string) {
	b.t.Helper()
	cpu := map[string]string{}
	for _, t := range b.list(podTemplates) {
		containers, _, _ := unstructured.NestedSlice(t.Object, "template", "spec", "containers")
		cpu[t.GetName()], _, _ = unstructured.NestedString(containers[0].(map[string]any), "resources", "requests", "cpu")
	}
	say := func(count any, ref map[string]any) {
		out = append(out, fmt.Sprintf("%v of %s", count, cpu[ref["name"].(string)]))
	}
	for _, r := range b.list(requestAPIs[kind].resource) {
		spec := r.Object["spec"].(map[string]any)
		if kind == CapacityBuffer {
			say(spec["replicas"], spec["podTemplateRef"].(map[string]any))
			continue
		}
		if spec["provisioningClassName"] != class {
			b.t.Errorf("class %v", spec["provisioningClassName"])
		}
		for _, s := range spec["podSets"].([]any) {
			set := s.(map[string]any)
			say(set["count"], set["podTemplateRef"].(map[string]any))
		}
	}
	slices.Sort(out)
	return out
}

func (b *bench) wantAsked(kind RequestKind, want ...string) {
	b.t.Helper()
	if got := b.asked(kind); !slices.Equal(got, want) {
		b.t.Errorf("asked for %q, want %q", got, want)
	}
}

func withCPU(cpu string) func(*v1.Pod) {
	return func(p *v1.Pod) {
		p.Spec.Containers = []v1.Container{{Name: "spark", Image: "spark", Resources: requests(cpu)}}
	}
}

func TestAGangIsAskedForWithItsExpectedMembers(t *testing.T) {
	for kind, requests := range map[RequestKind][]string{
		ProvisioningRequest: {"provisioningrequests"}, CapacityBuffer: {"capacitybuffers", "capacitybuffers"},
	} {
		b := asking(t, Autoscaling{Request: kind, Class: class})
		b.Do(lack(3, b.addPod("d", withCPU("1"))))
		if again := b.settleAsks(); again != recheck {
			t.Errorf("%s: looked at again in %s", kind, again)
		}
		b.wantAsked(kind, "1 of 1", "3 of 2")
		b.writes(verbs("create", slices.Concat([]string{"podtemplates", "podtemplates"}, requests)...)...)
		for _, o := range slices.Concat(b.list(podTemplates), b.list(requestAPIs[kind].resource)) {
			if refs := o.GetOwnerReferences(); len(refs) != 1 || refs[0].UID != "uid-d" || len(o.GetName()) > 63 {
				t.Errorf("%s %s is owned by %v", o.GetKind(), o.GetName(), refs)
			}
		}
		b.Do(lack(3, "uid-d"))
		b.settleAsks()
		b.writes() // nothing has changed
		b.Do(core.AskNoMore{Gang: app})
		b.settleAsks()
		b.wantAsked(kind)
		b.writes(verbs("delete", slices.Concat(requests, []string{"podtemplates", "podtemplates"})...)...)
		if len(b.list(podTemplates))+len(b.asks.wanted)+len(b.asks.known) != 0 {
			t.Error("something is left")
		}
	}
}

// verbs is one verb for several resources.
func verbs(verb string, resources ...string) (out []string) {
	for _, r := range resources {
		out = append(out, verb+" "+r)
	}
	return out
}

func TestANeedThatHasChangedReplacesTheRequest(t *testing.T) {
	b := asking(t, Autoscaling{Request: ProvisioningRequest, Class: class})
	d := b.addPod("d", withCPU("1"))
	b.Do(lack(3, d))
	b.settleAsks()
	b.writes("create podtemplates", "create podtemplates", "create provisioningrequests")
	b.Do(lack(5, d))
	b.settleAsks()
	b.wantAsked(ProvisioningRequest, "1 of 1", "5 of 2")
	b.writes("delete provisioningrequests", "create provisioningrequests")
}

func TestWhatWasNeverAskedForNeedsNoTakingBack(t *testing.T) {
	b := asking(t, Autoscaling{Request: ProvisioningRequest, Class: class})
	b.Do(lack(3, b.addPod("d", withCPU("1"))))
	b.Do(core.AskNoMore{Gang: app})
	if again := b.settleAsks(); again != 0 || len(b.dynamic.Actions()) != 0 {
		t.Errorf("again in %s, sent %v", again, b.dynamic.Actions())
	}
}

func TestAsFewObjectsAreMadeWhateverTheSizeOfAGang(t *testing.T) {
	b := asking(t, Autoscaling{Request: CapacityBuffer})
	var pods []gang.PodID
	for i := range 30 {
		pods = append(pods, b.addPod(fmt.Sprintf("p%d", i), withCPU("1")))
	}
	b.Do(lack(5000, pods...))
	b.settleAsks()
	b.wantAsked(CapacityBuffer, "30 of 1", "5000 of 2")
}

func TestAGangOfManyShapesAsksByMoreThanOneRequest(t *testing.T) {
	b := asking(t, Autoscaling{Request: ProvisioningRequest, Class: class})
	d := core.AskForRoom{Gang: app, Owner: driver}
	for i := range maxPodSets + 1 {
		d.Lacks = append(d.Lacks, core.Lack{Shape: gang.Shape{Request: own.Vector{MilliCPU: int64(i+1) * 1000}}, Expected: 1})
	}
	b.Do(d)
	b.settleAsks()
	if n := len(b.list(requestAPIs[ProvisioningRequest].resource)); n != 2 {
		t.Errorf("%d requests", n)
	}
}

func TestARequestThatWasGivenUpIsMadeAgain(t *testing.T) {
	const now, before = time.Duration(0), recheck
	for _, c := range []struct {
		condition string
		status    metav1.ConditionStatus
		since     time.Duration
		again     bool
	}{
		{"Accepted", "True", before, false},
		{"Provisioned", "False", before, false},
		{"Provisioned", "True", now, false},
		{"Provisioned", "True", before, true},
		{"BookingExpired", "True", now, true},
		{"Failed", "True", now, true},
		{"Failed", "False", before, false},
	} {
		b := asking(t, Autoscaling{Request: ProvisioningRequest, Class: class})
		b.Do(lack(3, b.addPod("d", withCPU("1"))))
		b.settleAsks()
		r := b.list(requestAPIs[ProvisioningRequest].resource)[0]
		r.Object["status"] = map[string]any{"conditions": []any{map[string]any{
			"type": c.condition, "status": string(c.status), "lastTransitionTime": b.clock.Now().Add(-c.since).Format(time.RFC3339),
		}}}
		client := b.dynamic.Resource(requestAPIs[ProvisioningRequest].resource).Namespace("team")
		if _, err := client.Update(t.Context(), &r, metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
		b.dynamic.ClearActions()
		b.settleAsks()
		want := map[bool][]string{true: {"delete provisioningrequests", "create provisioningrequests"}}[c.again]
		t.Logf("%+v", c)
		b.writes(want...)
	}
}

func TestRequestsThatAreNotServedAreWaitedFor(t *testing.T) {
	b := asking(t, Autoscaling{Request: ProvisioningRequest, Class: class})
	notFound := apierrors.NewNotFound(schema.GroupResource{}, "")
	failNext(&b.dynamic.Fake, "list", "provisioningrequests", notFound)
	b.Do(lack(3, b.addPod("d", withCPU("1"))))
	if again := b.settleAsks(); again != absent {
		t.Errorf("looked at again in %s", again)
	}
	b.dynamic.ClearActions()
	b.clock.Step(absent / 2)
	if again := b.settleAsks(); again != absent/2 || len(b.dynamic.Actions()) != 0 {
		t.Errorf("looked at again in %s, sent %v", again, b.dynamic.Actions())
	}
	b.clock.Step(absent / 2)
	b.settleAsks()
	b.wantAsked(ProvisioningRequest, "1 of 1", "3 of 2")
}

func TestARequestThatFailsIsTriedAgain(t *testing.T) {
	b := asking(t, Autoscaling{Request: ProvisioningRequest, Class: class})
	failNext(&b.dynamic.Fake, "create", "provisioningrequests", timeout)
	b.Do(lack(3, b.addPod("d", withCPU("1"))))
	if _, err := b.asks.do(t.Context(), errand{gang: app}); !passes(err) {
		t.Fatalf("got %v", err)
	}
	b.settleAsks()
	b.wantAsked(ProvisioningRequest, "1 of 1", "3 of 2")
}

func TestANewLeaderLearnsWhatWasAskedFor(t *testing.T) {
	b := asking(t, Autoscaling{Request: ProvisioningRequest, Class: class})
	b.Do(lack(3, b.addPod("d", withCPU("1"))))
	b.settleAsks()
	foreign := b.list(podTemplates)[0]
	foreign.SetNamespace("elsewhere")
	foreign.SetAnnotations(map[string]string{v1alpha1.GangLabel: "spark/team/other"})
	if _, err := b.dynamic.Resource(podTemplates).Namespace("elsewhere").Create(t.Context(), &foreign, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	b.asks.wanted, b.asks.known = map[gang.ID]*core.AskForRoom{}, map[gang.ID]bool{}
	b.asks.adopt(t.Context())
	if len(b.posted) != 1 || b.posted[0] != core.Event(core.AskFound{Gang: app}) {
		t.Fatalf("posted %+v", b.posted)
	}
	b.Do(core.AskNoMore{Gang: app})
	b.settleAsks()
	b.wantAsked(ProvisioningRequest)
}

func TestRunAsksAndStops(t *testing.T) {
	b := asking(t, Autoscaling{Request: CapacityBuffer})
	ctx, cancel := context.WithCancel(t.Context())
	made := make(chan struct{}, 10)
	b.dynamic.PrependReactor("create", "capacitybuffers", noticed(made))
	done := make(chan struct{})
	go func() { defer close(done); b.Run(ctx) }()
	b.Do(lack(3))
	<-made
	cancel()
	<-done
	b.wantAsked(CapacityBuffer, "3 of 2")
}

func TestPodsThatWaitForRoomAreMarkedAtABoundedRate(t *testing.T) {
	b := asking(t, Autoscaling{Request: CapacityBuffer, MarkPods: true})
	var pods []gang.PodID
	for i := range marksPerSecond + 5 {
		pods = append(pods, b.addPod(fmt.Sprintf("p%d", i)))
	}
	b.Do(lack(3, pods...))
	marked := errand{gang: app, marks: true}
	if again, err := b.asks.do(t.Context(), marked); err != nil || again != untilMore {
		t.Fatalf("again in %s, %v", again, err)
	}
	b.writes(times("patch pods/status", marksPerSecond)...)
	b.see(pods)
	b.clock.Step(untilMore)
	if again, err := b.asks.do(t.Context(), marked); err != nil || again != 0 {
		t.Fatalf("again in %s, %v", again, err)
	}
	b.writes(times("patch pods/status", 5)...)
	c := b.scheduled("p104")
	if c.Reason != v1.PodReasonUnschedulable || c.Message != "waits for room together with its gang, Pod d" {
		t.Errorf("condition %+v", c)
	}
	b.settleAsks()
	b.wantAsked(CapacityBuffer, "3 of 2") // the others speak for themselves

	// What room does not cure is not to be cured by room.
	b.see(pods)
	b.clock.Step(time.Minute)
	b.Do(explain(driver, app, gang.Refused, pods...))
	for b.flush(app) {
		b.see(pods)
		b.clock.Step(untilMore)
	}
	for i := range pods {
		if c := b.scheduled(fmt.Sprintf("p%d", i)); c.Reason != "GangRefused" {
			t.Fatalf("condition of pod %d: %+v", i, c)
		}
	}
}

// see takes in what was written to pods.
func (b *bench) see(pods []gang.PodID) {
	b.t.Helper()
	for _, id := range pods {
		p, err := b.client.CoreV1().Pods("team").Get(b.t.Context(), strings.TrimPrefix(string(id), "uid-"), metav1.GetOptions{})
		if err != nil {
			b.t.Fatal(err)
		}
		b.pods[id] = p
	}
	b.client.ClearActions()
}

func times(what string, n int) []string { return slices.Repeat([]string{what}, n) }

func TestPodsForWhichARequestAsksAreNotUnschedulableToo(t *testing.T) {
	for how, want := range map[Autoscaling]string{
		{}:                             v1.PodReasonUnschedulable,
		{MarkPods: true}:               v1.PodReasonUnschedulable,
		{Request: ProvisioningRequest}: "GangNoRoom",
		{Request: CapacityBuffer, MarkPods: true}: v1.PodReasonUnschedulable,
	} {
		b := asking(t, how)
		b.Do(explain(driver, app, gang.NoRoom, b.addPod("d")))
		b.flush(app)
		if c := b.scheduled("d"); c == nil || c.Reason != want {
			t.Errorf("%+v: condition %+v, want reason %s", how, c, want)
		}
	}
}
