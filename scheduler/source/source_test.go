package source

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	v1 "k8s.io/api/core/v1"
	schedulingv1beta1 "k8s.io/api/scheduling/v1beta1"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	dynamicfake "k8s.io/client-go/dynamic/fake"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	volcano "volcano.sh/apis/pkg/apis/scheduling/v1beta1"

	"muster.sh/muster/api/v1alpha1"
	"muster.sh/muster/scheduler/core"
)

// bench is a source on fake clients, with a record of what it posts.
type bench struct {
	t       *testing.T
	client  *fake.Clientset
	dynamic *dynamicfake.FakeDynamicClient
	source  *Source
	cancel  context.CancelFunc

	mu     sync.Mutex
	posted []core.Event
	more   chan struct{}
}

var listKinds = map[schema.GroupVersionResource]string{
	v1alpha1.ReservationResource: "ReservationList",
	volcanoGroups.resource:       "PodGroupList",
	coschedulingGroups.resource:  "PodGroupList",
	crdResource:                  "CustomResourceDefinitionList",
}

// watchCopies has watches hand out copies. The fake hands out what was created before they
// began as it keeps it, and informers change what they get.
func watchCopies(f *dynamicfake.FakeDynamicClient) {
	plain := f.WatchReactionChain[len(f.WatchReactionChain)-1]
	f.PrependWatchReactor("*", func(action clienttesting.Action) (bool, watch.Interface, error) {
		handled, w, err := plain.React(action)
		if err != nil || !handled {
			return handled, w, err
		}
		return true, watch.Filter(w, func(e watch.Event) (watch.Event, bool) {
			e.Object = e.Object.DeepCopyObject()
			return e, true
		}), nil
	})
}

func newBench(t *testing.T, timeout time.Duration, objects, custom []runtime.Object) *bench {
	t.Helper()
	b := &bench{
		t: t, client: fake.NewClientset(objects...),
		dynamic: dynamicfake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), listKinds, custom...),
		more:    make(chan struct{}, 1),
	}
	watchCopies(b.dynamic)
	b.client.Resources = []*metav1.APIResourceList{{
		GroupVersion: schedulingv1beta1.SchemeGroupVersion.String(), APIResources: []metav1.APIResource{{Name: "podgroups"}},
	}}
	shared := informers.NewSharedInformerFactory(b.client, 0)
	var err error
	b.source, err = New(Config{
		Client: b.client, Dynamic: b.dynamic, Informers: shared, Pods: shared.Core().V1().Pods().Informer(), SchedulerName: testScheduler,
		ConfigMapTimeout: timeout, SettleTime: 10 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	var ctx context.Context
	ctx, b.cancel = context.WithCancel(t.Context())
	shared.Core().V1().Nodes().Informer()
	shared.StartWithContext(ctx)
	t.Cleanup(func() {
		b.cancel()
		b.source.Wait()
		shared.Shutdown()
	})
	if err := b.source.Start(ctx, b.post); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *bench) post(e core.Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.posted = append(b.posted, e)
	select {
	case b.more <- struct{}{}:
	default:
	}
}

func (b *bench) told() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []string
	for _, e := range b.posted {
		out = append(out, describe(e))
	}
	return out
}

// await returns what has been told, once a line begins like this.
func (b *bench) await(prefix string) []string {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), 30*time.Second)
	defer cancel()
	for {
		told := b.told()
		if slices.ContainsFunc(told, func(s string) bool { return strings.HasPrefix(s, prefix) }) {
			return told
		}
		select {
		case <-b.more:
		case <-ctx.Done():
			b.t.Fatalf("%q was never told, but:\n%s", prefix, strings.Join(told, "\n"))
		}
	}
}

// inOrder checks that lines were told in this order, whatever came between.
func (b *bench) inOrder(told []string, want ...string) {
	b.t.Helper()
	rest := told
	for _, w := range want {
		i := slices.IndexFunc(rest, func(s string) bool { return strings.HasPrefix(s, w) })
		if i < 0 {
			b.t.Fatalf("%q was not told in its order:\n%s", w, strings.Join(told, "\n"))
		}
		rest = rest[i+1:]
	}
}

func configMap(name, properties string) *v1.ConfigMap {
	return &v1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: name}, Data: map[string]string{"spark.properties": properties}}
}

func object(t *testing.T, o runtime.Object, kind schema.GroupVersionKind) *unstructured.Unstructured {
	t.Helper()
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
	if err != nil {
		t.Fatal(err)
	}
	u := &unstructured.Unstructured{Object: content}
	u.SetGroupVersionKind(kind)
	return u
}

func podGroupDefinition(t *testing.T, of groupAPI, served bool) *unstructured.Unstructured {
	crd := &apiextensions.CustomResourceDefinition{ObjectMeta: metav1.ObjectMeta{Name: of.custom().definition()}}
	crd.Spec.Versions = []apiextensions.CustomResourceDefinitionVersion{{Name: of.resource.Version, Served: served}}
	crd.Status.Conditions = []apiextensions.CustomResourceDefinitionCondition{{Type: apiextensions.Established, Status: apiextensions.ConditionTrue}}
	return object(t, crd, apiextensions.SchemeGroupVersion.WithKind("CustomResourceDefinition"))
}

func (b *bench) create(of schema.GroupVersionResource, namespace string, u *unstructured.Unstructured) {
	b.t.Helper()
	if _, err := b.dynamic.Resource(of).Namespace(namespace).Create(b.t.Context(), u, metav1.CreateOptions{}); err != nil {
		b.t.Fatal(err)
	}
}

func TestStartPostsAllThatExistsAndThenSynced(t *testing.T) {
	n := &v1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n1"}}
	reservation := object(t, &v1alpha1.Reservation{
		ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "r"},
		Spec: v1alpha1.ReservationSpec{
			Gang: "spark/team/app", Owner: v1alpha1.ReservationOwner{UID: "uid-d"},
			Slots: []v1alpha1.ReservedSlots{{Role: "executor", Node: "n1", Count: 1}},
		},
	}, v1alpha1.GroupVersion.WithKind("Reservation"))
	stale := object(t, &v1alpha1.Reservation{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "stale"}}, v1alpha1.GroupVersion.WithKind("Reservation"))
	group := object(t, newPodGroup("g", volcano.PodGroupSpec{MinMember: 2}), volcano.SchemeGroupVersion.WithKind("PodGroup"))
	b := newBench(t, time.Hour,
		[]runtime.Object{
			n, configMap("d-conf", properties(2)),
			newPod("d", driverOf("app"), on("n1")), newPod("e", executorOf("app"), ownedBy("Pod", "d", "uid-d"), on("n1")),
			newPod("waiting", driverOf("late")), newPod("foreign", scheduledBy("other"), on("n1")), newPod("w", inGroup("g")),
			newPod("k", inSchedulingGroup("g")), newKubernetesGroup(gangPolicy(3)), newPod("c", label(coschedulingLabel, "g")),
		},
		[]runtime.Object{
			reservation, stale, podGroupDefinition(t, volcanoGroups, true), group,
			podGroupDefinition(t, coschedulingGroups, true), newCoschedulingGroup(map[string]any{"minMember": int64(4)}),
		})
	told := b.await("synced")
	for _, want := range []string{
		"node n1", "foreign on n1", "d on n1 is driver of spark/team/app", "e on n1 is executor of spark/team/app",
		"waiting is driver of spark/team/late", "w is default of podgroup/team/g", "gang podgroup/team/g; default 0..-1; min 2",
		"k is default of k8s-podgroup/team/g", "gang k8s-podgroup/team/g; default 0..-1; min 3",
		"c is default of coscheduling/team/g", "gang coscheduling/team/g; default 0..-1; min 4",
		"gang spark/team/app; driver 1..1; executor 2..2 expected " + executorShape, "found spark/team/app [{executor n1}]",
	} {
		if i := slices.Index(told, want); i < 0 || i > slices.Index(told, "synced") {
			t.Errorf("%q was not told before synced:\n%s", want, strings.Join(told, "\n"))
		}
	}
	b.inOrder(told, "gang spark/team/app", "found spark/team/app", "synced")
	b.awaitGone(v1alpha1.ReservationResource, "team", "stale")
	if p := b.source.Pod("uid-w"); p == nil || p.Name != "w" {
		t.Errorf("Pod returns %v", p)
	}
}

// awaitGone polls, as the fake client offers no event for it.
func (b *bench) awaitGone(of schema.GroupVersionResource, namespace, name string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), 30*time.Second)
	defer cancel()
	for {
		_, err := b.dynamic.Resource(of).Namespace(namespace).Get(ctx, name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return
		}
		select {
		case <-time.After(5 * time.Millisecond):
		case <-ctx.Done():
			b.t.Fatalf("%s/%s is still there", namespace, name)
		}
	}
}

func TestSettingsAreReadAsSoonAsTheyAppear(t *testing.T) {
	b := newBench(t, time.Hour, nil, nil)
	b.await("synced")
	pods, maps := b.client.CoreV1().Pods("team"), b.client.CoreV1().ConfigMaps("team")
	if _, err := pods.Create(t.Context(), newPod("d", driverOf("app")), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	b.await("d is driver of spark/team/app")
	if _, err := maps.Create(t.Context(), configMap("d-conf", properties(3)), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	b.await("gang spark/team/app; driver 1..1; executor 3..3")
	if err := pods.Delete(t.Context(), "d", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	b.inOrder(b.await("gone spark/team/app"), "d is driver", "gang spark/team/app", "d Deleted", "gone spark/team/app")
}

func TestSettingsThatDoNotAppearInTimeRefuseTheGang(t *testing.T) {
	b := newBench(t, time.Millisecond, []runtime.Object{newPod("d", driverOf("app"))}, nil)
	told := b.await("refused spark/team/app")
	if last := told[len(told)-1]; !strings.Contains(last, `configmaps "d-conf" not found`) {
		t.Fatal(last)
	}
}

func TestSettingsAreReadInSpiteOfAPIServerErrors(t *testing.T) {
	b := newBench(t, time.Hour, []runtime.Object{configMap("d-conf", properties(1))}, nil)
	failures := 2
	b.client.PrependReactor("get", "configmaps", func(clienttesting.Action) (bool, runtime.Object, error) {
		if failures > 0 {
			failures--
			return true, nil, apierrors.NewInternalError(errors.New("etcd is away"))
		}
		return false, nil, nil
	})
	if _, err := b.client.CoreV1().Pods("team").Create(t.Context(), newPod("d", driverOf("app")), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	b.await("gang spark/team/app; driver 1..1; executor 1..1")
}

func TestClientModeGangIsDeclaredWhenItHasSettled(t *testing.T) {
	b := newBench(t, time.Hour, nil, nil)
	for _, name := range []string{"e1", "e2"} {
		if _, err := b.client.CoreV1().Pods("team").Create(t.Context(), newPod(name, executorOf("app")), metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	b.inOrder(b.await("gang spark-client/team/app"), "e1 is executor of spark-client/team/app", "gang spark-client/team/app; executor")
}

func TestPodGroupsAreWatchedWhileTheyAreServed(t *testing.T) {
	b := newBench(t, time.Hour, []runtime.Object{newPod("p", inGroup("g"))}, nil)
	b.await("synced")
	group := newPodGroup("g", volcano.PodGroupSpec{MinMember: 2})
	b.create(volcanoGroups.resource, "team", object(t, group, volcano.SchemeGroupVersion.WithKind("PodGroup")))
	b.create(crdResource, "", podGroupDefinition(t, volcanoGroups, true))
	b.await("gang podgroup/team/g; default 0..-1; min 2")

	group.Spec.MinMember = 3
	if _, err := b.dynamic.Resource(volcanoGroups.resource).Namespace("team").Update(
		t.Context(), object(t, group, volcano.SchemeGroupVersion.WithKind("PodGroup")), metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	b.await("gang podgroup/team/g; default 0..-1; min 3")
	if err := b.dynamic.Resource(crdResource).Delete(t.Context(), volcanoGroups.custom().definition(), metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	b.inOrder(b.await("gone podgroup/team/g"), "synced", "gang podgroup", "gang podgroup", "gone podgroup/team/g")
}

func TestKubernetesPodGroupsAreWatched(t *testing.T) {
	b := newBench(t, time.Hour, []runtime.Object{newPod("p", inSchedulingGroup("g"))}, nil)
	b.await("synced")
	groups := b.client.SchedulingV1beta1().PodGroups("team")
	if _, err := groups.Create(t.Context(), newKubernetesGroup(gangPolicy(2)), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	b.await("gang k8s-podgroup/team/g; default 0..-1; min 2")
	if err := groups.Delete(t.Context(), "g", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	b.await("gone k8s-podgroup/team/g")
}

func TestPodGroupThatCannotBeReadIsRefused(t *testing.T) {
	broken := object(t, newPodGroup("g", volcano.PodGroupSpec{}), volcano.SchemeGroupVersion.WithKind("PodGroup"))
	if err := unstructured.SetNestedField(broken.Object, "many", "spec", "minMember"); err != nil {
		t.Fatal(err)
	}
	b := newBench(t, time.Hour, []runtime.Object{newPod("p", inGroup("g"))}, []runtime.Object{podGroupDefinition(t, volcanoGroups, true), broken})
	b.inOrder(b.await("synced"), "refused podgroup/team/g: the PodGroup can't be read", "synced")
}

func TestNothingIsPostedAfterTheEnd(t *testing.T) {
	b := newBench(t, time.Hour, nil, nil)
	b.await("synced")
	b.cancel()
	b.source.Wait()
	before := len(b.told())
	b.source.step(func(c *collector) { c.removeNode("n1") })
	if after := len(b.told()); after != before {
		t.Fatalf("%d events were posted after the end", after-before)
	}
}

func TestNewSaysWhatIsMissing(t *testing.T) {
	if _, err := New(Config{}); err == nil {
		t.Fatal("an empty configuration was taken")
	}
}

func TestTrimmedPodKeepsWhatIsRead(t *testing.T) {
	p := recorded[v1.Pod](t, "spark-4.3.0", "driver-pod.json")
	want := podSet(p, "g", "r")
	trimmed, err := TrimPod(p.DeepCopy())
	if err != nil {
		t.Fatal(err)
	}
	got := trimmed.(*v1.Pod)
	if d := describePod(podSet(got, "g", "r")); d != describePod(want) {
		t.Fatalf("%s, want %s", d, describePod(want))
	}
	if len(got.ManagedFields) != 0 {
		t.Fatalf("kept %+v", got.ManagedFields)
	}
	ended := p.DeepCopy()
	ended.Status.Phase = v1.PodFailed
	if _, err := TrimPod(ended); err != nil {
		t.Fatal(err)
	}
	if len(ended.Spec.Containers) != 0 || ended.UID != p.UID || !HasEnded(ended) {
		t.Fatalf("kept %+v", ended)
	}
}
