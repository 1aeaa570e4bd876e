package explain_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	v1 "muster.sh/muster/api/explain/v1"
	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/core/coretest"
	"muster.sh/muster/scheduler/explain"
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/gang/gangtest"
	"muster.sh/muster/scheduler/queue"
	"muster.sh/muster/scheduler/resource"
)

// declare declares a gang of a namespace a second after what was there before, and creates
// its pods, of a core each.
func declare(w *coretest.World, namespace, name, queue string, members int) {
	g := gangtest.Group(name, members)
	g.ID, g.Owner.Namespace, g.Queue = gang.NewID("podgroup", namespace, name), namespace, queue
	w.Now = w.Now.Add(time.Second)
	g.Created = w.Now
	w.Declare(g)
	for i := range members {
		w.Pod(g.ID, "", fmt.Sprintf("%s-%s-%d", namespace, name, i), gangtest.Shape(1, 1))
	}
}

// tenants is a world in which a gang of each of two tenants runs, and others wait.
func tenants() *coretest.World {
	w := coretest.Cluster(2, 2)
	w.SetQueue(queue.Spec{Name: "batch", Capability: queue.LimitsOf(map[string]int64{resource.CPU: 2000})})
	w.SetQueue(queue.Spec{Name: "shut", Closed: true})
	w.SetQueue(queue.Spec{Name: "wrong", Parent: "nowhere"})
	declare(w, "blue", "first", "batch", 2)
	declare(w, "red", "second", "", 1)
	declare(w, "blue", "third", "batch", 1)
	declare(w, "red", "fourth", "", 2)
	declare(w, "red", "fifth", "", 2)
	return w
}

// caller may list the pods of some namespaces, or of all where "" is one of them.
func caller(w *coretest.World, namespaces ...string) *explain.API {
	return &explain.API{
		Asker: direct{w.Machine}, Leads: func() (string, bool) { return "", true },
		Now: func() time.Time { return w.Now },
		Shape: func(m *v1.Members) gang.Shape {
			return gang.Shape{Request: resource.Vector{MilliCPU: m.Template.Spec.Containers[0].Resources.Requests.Cpu().MilliValue()}}
		},
		Admits:  func(r *http.Request) bool { return r.URL.Query().Get("limit") != "7" },
		MayList: func(_ *http.Request, n string) (bool, error) { return slices.Contains(namespaces, n), nil },
	}
}

// read asks for a path and reads the answer.
func read[T any](t *testing.T, a *explain.API, path string) T {
	t.Helper()
	w := get(t, a.Handler(), path, "")
	var found T
	if err := json.Unmarshal(w.Body.Bytes(), &found); err != nil || w.Code != http.StatusOK {
		t.Fatalf("%s: %d %s", path, w.Code, w.Body)
	}
	return found
}

func namesOf(list v1.GangList) (names []string) {
	for _, g := range list.Items {
		names = append(names, g.Namespace+"/"+g.Name+" "+g.Verdict.Code)
	}
	return names
}

func TestATenantSeesHisOwnGangsAndTheNumberOfOthers(t *testing.T) {
	w := tenants()
	for _, c := range []struct {
		path   string
		may    []string
		want   []string
		others v1.Others
	}{
		{"/v1/gangs", []string{""}, []string{"blue/first Running", "blue/third OverQuota", "red/fifth Behind", "red/fourth NoRoom", "red/second Running"}, v1.Others{}},
		{"/v1/gangs", []string{"blue"}, []string{"blue/first Running", "blue/third OverQuota"},
			v1.Others{Gangs: 3, Verdicts: map[string]int{"Running": 1, "NoRoom": 1, "Behind": 1}}},
		{"/v1/gangs", nil, nil, v1.Others{Gangs: 5, Verdicts: map[string]int{"Running": 2, "OverQuota": 1, "NoRoom": 1, "Behind": 1}}},
		{"/v1/gangs?namespace=red", []string{"red"}, []string{"red/fifth Behind", "red/fourth NoRoom", "red/second Running"}, v1.Others{}},
		{"/v1/gangs?queue=batch", []string{"red"}, nil, v1.Others{Gangs: 2, Verdicts: map[string]int{"Running": 1, "OverQuota": 1}}},
		{"/v1/gangs?verdict=Running", []string{"blue"}, []string{"blue/first Running"}, v1.Others{Gangs: 1, Verdicts: map[string]int{"Running": 1}}},
		{"/v1/gangs?verdict=NoRoom&queue=default&namespace=red", []string{"red"}, []string{"red/fourth NoRoom"}, v1.Others{}},
	} {
		list := read[v1.GangList](t, caller(w, c.may...), c.path)
		if got := namesOf(list); !slices.Equal(got, c.want) || !reflect.DeepEqual(list.Others, c.others) || list.Continue != "" {
			t.Errorf("%s by %q: %q and %+v", c.path, c.may, got, list.Others)
		}
	}
}

func TestAGangIsToldWithPlaceReasonAndSince(t *testing.T) {
	w := tenants()
	got := read[v1.Gang](t, caller(w, "red"), "/v1/gangs/red/fourth")
	want := v1.Gang{
		Kind: "podgroup", Namespace: "red", Name: "fourth",
		Owner: v1.Object{APIVersion: "scheduling.volcano.sh/v1beta1", Kind: "PodGroup", Name: "fourth"},
		Queue: "default", Place: 1, Phase: "Waiting", Created: gangtest.Epoch0.Add(4 * time.Second), Minimum: 2,
		Verdict: v1.Verdict{
			Code: "NoRoom", Since: gangtest.Epoch0.Add(4 * time.Second), Placed: 1, Wanted: 2, Nodes: 2,
			Message:  "not enough room: 1 of 2 members placed, cpu=1 memory=1Gi missing in all; of 2 nodes: 2 too little cpu",
			Missing:  v1.Amounts{"cpu": "1", "memory": "1073741824"},
			RuledOut: []v1.RuledOut{{Constraint: "resource/cpu", Nodes: 2}},
		},
		Start: &v1.Start{Unknown: "nobody knows how long 2 of the gangs still run that have room"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if v := read[v1.Gang](t, caller(w, "red"), "/v1/gangs/red/fifth?kind=podgroup").Verdict; v.WaitingFor == nil || v.WaitingFor.Name != "fourth" {
		t.Errorf("it waits for %+v", v.WaitingFor)
	}
	if g := read[v1.Gang](t, caller(w, "blue"), "/v1/gangs/blue/first"); len(g.Slots) != 2 || g.Slots[0].Pod != "blue-first-0" || g.Bound != 2 {
		t.Errorf("it has %+v", g.Slots)
	}
	// A gang is found by its owner too: that of a Spark application is its driver.
	w.App("app", 1, gangtest.Shape(1, 1))
	if g := read[v1.Gang](t, caller(w, "default"), "/v1/gangs/default/app-driver"); g.Kind != "spark" || g.Name != "app" {
		t.Errorf("found %+v", g)
	}
}

func TestAVerdictIsToldWithTheTimeAtWhichItBecameThat(t *testing.T) {
	w := tenants()
	fourth := func() v1.Verdict { return read[v1.Gang](t, caller(w, "red"), "/v1/gangs/red/fourth").Verdict }
	before := fourth()
	w.Pass(time.Minute)
	declare(w, "red", "sixth", "", 1)
	if now := fourth(); now.Code != "NoRoom" || now.Since != before.Since {
		t.Errorf("a minute later it is %s since %s, and was since %s", now.Code, now.Since, before.Since)
	}
	w.Remove("podgroup/red/second")
	w.End("red-second-0", core.Succeeded)
	if now := fourth(); now.Code != "Running" || now.Since != w.Now {
		t.Errorf("at %s it is %s since %s", w.Now, now.Code, now.Since)
	}
}

func TestWhatCantBeAnsweredSaysWhy(t *testing.T) {
	w := tenants()
	for _, name := range []string{"x", "y"} {
		g := gangtest.Group("twice", 1)
		g.ID = gang.NewID(name, "blue", "twice")
		w.Declare(g)
	}
	for _, c := range []struct {
		path   string
		status int
		says   string
	}{
		{"/v1/gangs?namespace=red", http.StatusForbidden, "red are not yours to see"},
		{"/v1/gangs/red/second", http.StatusForbidden, "red are not yours to see"},
		{"/v1/gangs/red/none", http.StatusForbidden, "red are not yours to see"},
		{"/v1/gangs/blue/none", http.StatusNotFound, "there is no gang none in namespace blue"},
		{"/v1/gangs/blue/first?kind=spark", http.StatusNotFound, "there is no gang first in namespace blue"},
		{"/v1/gangs/blue/twice", http.StatusConflict, "x/blue/twice, y/blue/twice"},
		{"/v1/gangs?limit=0", http.StatusBadRequest, "limit=0 is not a number from 1 on"},
		{"/v1/gangs?continue=%25", http.StatusBadRequest, "begin anew"},
		{"/v1/gangs?names=x", http.StatusBadRequest, "there is no parameter names"},
		{"/v1/gangs?queue=a&queue=b", http.StatusBadRequest, "queue is given 2 times"},
		{"/v1/gangs?limit=7", http.StatusTooManyRequests, "ask again in a second"},
		{"/v1/queues?verdict=x", http.StatusBadRequest, "there is no parameter verdict"},
	} {
		w := get(t, caller(w, "blue").Handler(), c.path, "")
		var p v1.Problem
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
			t.Fatal(err)
		}
		if w.Code != c.status || p.Status != c.status || !strings.Contains(p.Error(), c.says) || w.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d %s %q", c.path, w.Code, w.Body, w.Header())
		}
	}
}

func TestAFollowerSaysWhoLeads(t *testing.T) {
	a := &explain.API{Asker: silent{}, Leads: func() (string, bool) { return "muster-scheduler-x_1", false }}
	for _, path := range []string{"/v1/gangs", "/v1/gangs/a/b", "/v1/queues"} {
		w := get(t, a.Handler(), path, "")
		var p v1.Problem
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || w.Code != http.StatusServiceUnavailable || p.Leader != "muster-scheduler-x_1" || w.Header().Get("Retry-After") == "" {
			t.Errorf("%s: %d %s %v", path, w.Code, w.Body, err)
		}
	}
}

func TestTheNumberOfReviewsIsBounded(t *testing.T) {
	w := coretest.Cluster(1, 1)
	for i := range 100 {
		declare(w, fmt.Sprintf("n%03d", i), "g", "", 2)
	}
	reviews := 0
	a := caller(w)
	a.MayList = func(_ *http.Request, n string) (bool, error) { reviews++; return n != "", nil }
	list := read[v1.GangList](t, a, "/v1/gangs?limit=500")
	if len(list.Items) != 64 || list.Others.Gangs != 36 || reviews != 65 {
		t.Errorf("%d gangs and %d others after %d reviews", len(list.Items), list.Others.Gangs, reviews)
	}
}

func TestQueuesAreTold(t *testing.T) {
	w := tenants()
	list := read[v1.QueueList](t, caller(w), "/v1/queues")
	var got []string
	for _, q := range list.Items {
		got = append(got, fmt.Sprintf("%s %s used %s pending %s waiting %d %v", q.Name, q.State, q.Used["cpu"], q.Pending["cpu"], q.Waiting, q.Gangs))
	}
	want := []string{
		"batch Open used 2 pending 1 waiting 1 map[OverQuota:1 Running:1]",
		"default Open used 1 pending 4 waiting 2 map[Behind:1 NoRoom:1 Running:1]",
		"shut Closed used  pending  waiting 0 map[]",
		"wrong Refused used  pending  waiting 0 map[]",
	}
	if !slices.Equal(got, want) || list.Items[0].Capability["cpu"] != "2" || !strings.Contains(list.Items[3].Problem, "nowhere") {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
	first := read[v1.QueueList](t, caller(w), "/v1/queues?limit=3")
	rest := read[v1.QueueList](t, caller(w), "/v1/queues?limit=1&continue="+first.Continue)
	if len(first.Items) != 3 || len(rest.Items) != 1 || rest.Items[0].Name != "wrong" || rest.Continue != "" {
		t.Errorf("pages %+v %+v", first, rest)
	}
}

func TestWhatQueuesLimitOfEachPartIsTold(t *testing.T) {
	w := coretest.Cluster(2, 4)
	w.SetQueue(queue.Spec{
		Name: queue.Default, MaxExpected: queue.LimitsOf(map[string]int64{resource.CPU: 3000}),
		MaxNonPreemptible: queue.LimitsOf(map[string]int64{resource.CPU: 2000}),
	})
	w.App("app", 2, gangtest.Shape(1, 1))
	g := gangtest.Group("kept", 1)
	g.NonPreemptible = true
	w.Declare(g)
	w.Pod(g.ID, "", "kept-0", gangtest.Shape(1, 1))
	q := read[v1.QueueList](t, caller(w), "/v1/queues").Items[0]
	got := fmt.Sprint(q.Expected["cpu"], q.MaxExpected, q.NonPreemptible["cpu"], q.MaxNonPreemptible)
	if want := "2map[cpu:3]1map[cpu:2]"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	for name, want := range map[string]bool{"kept": true, "app": false} {
		if g := read[v1.Gang](t, caller(w, "default"), "/v1/gangs/default/"+name); g.NonPreemptible != want {
			t.Errorf("%s is told as %+v", name, g)
		}
	}
}

// Whatever there is, whatever the caller may see and whatever the size of the pages: all
// pages together have each gang that he may see once, in order, and the others are counted.
func TestPagesHaveEachGangOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := coretest.New()
		var all []string
		for name := range rapid.MapOfN(rapid.StringMatching(`[abc]/[a-e]{1,2}`), rapid.Just(true), 0, 12).Draw(t, "gangs") {
			namespace, own, _ := strings.Cut(name, "/")
			g := gangtest.Group(own, 1)
			g.ID = gang.NewID("podgroup", namespace, own)
			w.Send(core.GangSet{Gang: g})
			all = append(all, name)
		}
		may := rapid.SliceOfDistinct(rapid.SampledFrom([]string{"a", "b", "c"}), rapid.ID).Draw(t, "may")
		limit := rapid.IntRange(1, 5).Draw(t, "limit")
		want := slices.DeleteFunc(slices.Sorted(slices.Values(all)), func(name string) bool { return !slices.Contains(may, name[:1]) })
		var got []string
		page := url.Values{"limit": {fmt.Sprint(limit)}}
		for more := true; more; {
			var list v1.GangList
			reply := serve(caller(w, may...).Handler(), "/v1/gangs?"+page.Encode(), "")
			if err := json.Unmarshal(reply.Body.Bytes(), &list); err != nil || len(list.Items) > limit {
				t.Fatalf("%s %v", reply.Body, err)
			}
			for _, g := range list.Items {
				got = append(got, g.Namespace+"/"+g.Name)
			}
			if list.Others.Gangs != len(all)-len(want) {
				t.Fatalf("%d others of %v", list.Others.Gangs, all)
			}
			page.Set("continue", list.Continue)
			more = list.Continue != ""
		}
		if !slices.Equal(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
	})
}
