package tensorflow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	kubeflow "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"
	volcano "volcano.sh/apis/pkg/apis/scheduling/v1beta1"

	config "muster.sh/muster/api/config/v1alpha1"
	"muster.sh/muster/api/v1alpha1"
	chart "muster.sh/muster/charts/muster"
	"muster.sh/muster/operators/tensorflow"
	"muster.sh/muster/operators/tensorflow/plan"
	"muster.sh/muster/test/testcluster"
)

// errKilled is what every call ends with once the operator is killed.
var errKilled = errors.New("the operator was killed")

// mortal is a client of an operator that is killed before one of its writes. Reads
// leave nothing behind, and the operator keeps nothing in mind: killed after one write,
// or after a read, is killed before the next write.
type mortal struct {
	client.Client
	writes int // so far
	last   int // write that it lives to see; below zero it lives for ever
}

func (m *mortal) write(do func() error) error {
	if m.writes == m.last {
		return errKilled
	}
	m.writes++
	return do()
}

func (m *mortal) Create(ctx context.Context, o client.Object, opts ...client.CreateOption) error {
	return m.write(func() error { return m.Client.Create(ctx, o, opts...) })
}

func (m *mortal) Delete(ctx context.Context, o client.Object, opts ...client.DeleteOption) error {
	return m.write(func() error { return m.Client.Delete(ctx, o, opts...) })
}

func (m *mortal) Patch(ctx context.Context, o client.Object, p client.Patch, opts ...client.PatchOption) error {
	return m.write(func() error { return m.Client.Patch(ctx, o, p, opts...) })
}

func (m *mortal) Status() client.SubResourceWriter { return &mortalStatus{m.Client.Status(), m} }

type mortalStatus struct {
	client.SubResourceWriter
	of *mortal
}

func (m *mortalStatus) Update(ctx context.Context, o client.Object, opts ...client.SubResourceUpdateOption) error {
	return m.of.write(func() error { return m.SubResourceWriter.Update(ctx, o, opts...) })
}

// TestTheOperatorMayBeKilledAtAnyCall plays the life of a job again and again, with the
// operator killed before its first write, its second one, and so on. What there is at
// each rest is always the same.
func TestTheOperatorMayBeKilledAtAnyCall(t *testing.T) {
	definition, err := yaml.Marshal(chart.JobDefinitions()[0])
	if err != nil {
		t.Fatal(err)
	}
	ctx, c := testcluster.Start(t, testcluster.Spec{Manifest: definition})
	server := newClient(t, c)
	undisturbed, writes := life(ctx, t, server, -1)
	const atLeast = 30 // seven pods, services and groups are created and deleted, twice
	if writes < atLeast {
		t.Fatalf("a life has only %d writes", writes)
	}
	t.Logf("a life has %d writes", writes)
	for n := range writes {
		got, _ := life(ctx, t, server, n)
		if diff := cmp.Diff(undisturbed, got, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("killed before write %d it ends otherwise (-undisturbed +killed):\n%s", n+1, diff)
		}
	}
}

func newClient(t *testing.T, c *testcluster.Cluster) client.Client {
	t.Helper()
	known := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{scheme.AddToScheme, kubeflow.AddToScheme, volcano.AddToScheme} {
		if err := add(known); err != nil {
			t.Fatal(err)
		}
	}
	server, err := client.New(c.RESTConfig(), client.Options{Scheme: known})
	if err != nil {
		t.Fatal(err)
	}
	return server
}

// living is a job whose life is played. Nobody schedules its pods, and nobody runs them
// but the test.
type living struct {
	*testing.T
	ctx    context.Context
	server client.Client
	name   client.ObjectKey
	// operator is the one that lives now.
	operator *mortal
}

// life plays the life of a job: it starts, a worker fails and is tried again, it is
// suspended and resumed, loses a worker, and ends. The operator is killed before its
// write of the given number, and started again. It returns what there was at each rest,
// and how many writes the last operator made.
func life(ctx context.Context, t *testing.T, server client.Client, killedBefore int) (rests []rest, writes int) {
	t.Helper()
	l := &living{T: t, ctx: ctx, server: server, operator: &mortal{Client: server, last: killedBefore}}
	created := job("train", map[kubeflow.ReplicaType]int32{"Chief": 1, "Worker": 2}, func(j *kubeflow.TFJob) {
		j.Spec.RunPolicy.CleanPodPolicy = ptr.To(kubeflow.CleanPodPolicyAll)
		j.Spec.RunPolicy.BackoffLimit = ptr.To[int32](2)
		for _, spec := range j.Spec.TFReplicaSpecs {
			spec.RestartPolicy = kubeflow.RestartPolicyExitCode
			spec.Template.Spec.SchedulerName = "nobody"
			spec.Template.Spec.AutomountServiceAccountToken = ptr.To(false) // its volume has a random name
		}
	})
	l.name = client.ObjectKeyFromObject(created)
	for _, deed := range []func(){
		func() { l.must(server.Create(ctx, created)) },
		func() { l.set("chief-0", corev1.PodRunning); l.set("worker-1", corev1.PodRunning) },
		func() { l.set("worker-1", corev1.PodFailed) },
		func() { l.suspend(true) },
		func() { l.suspend(false) },
		func() { l.set("worker-0", corev1.PodFailed); l.set("worker-1", corev1.PodRunning) },
		func() { l.must(server.Delete(ctx, l.pod("worker-0"))) },
		func() { l.set("chief-0", corev1.PodSucceeded) },
	} {
		deed()
		l.settle()
		rests = append(rests, l.look())
	}
	l.must(server.Delete(ctx, created))
	return rests, l.operator.writes
}

// settle lets the operator work until it has nothing left to do.
func (l *living) settle() {
	l.Helper()
	for {
		before := l.operator.writes
		r := &tensorflow.Reconciler{
			Client: l.operator, Live: l.server, Events: events.NewFakeRecorder(1000),
			Options: plan.Options{SchedulerName: "muster", Gangs: config.GangByPodGroup},
		}
		_, err := r.Reconcile(l.ctx, ctrl.Request{NamespacedName: l.name})
		switch {
		case errors.Is(err, errKilled):
			l.operator = &mortal{Client: l.server, last: -1}
		case err != nil:
			l.Fatal(err)
		case l.operator.writes == before:
			return
		}
	}
}

func (l *living) must(err error) {
	l.Helper()
	if err != nil {
		l.Fatal(err)
	}
}

func (l *living) pod(name string) *corev1.Pod {
	l.Helper()
	pod := &corev1.Pod{}
	l.must(l.server.Get(l.ctx, client.ObjectKey{Namespace: l.name.Namespace, Name: l.name.Name + "-" + name}, pod))
	return pod
}

func (l *living) set(name string, phase corev1.PodPhase) {
	l.Helper()
	pod := l.pod(name)
	pod.Status.Phase = phase
	l.must(l.server.Status().Update(l.ctx, pod))
}

func (l *living) suspend(yes bool) {
	l.Helper()
	j := l.job()
	j.Spec.RunPolicy.Suspend = &yes
	l.must(l.server.Update(l.ctx, j))
}

func (l *living) job() *kubeflow.TFJob {
	l.Helper()
	j := &kubeflow.TFJob{}
	l.must(l.server.Get(l.ctx, l.name, j))
	return j
}

// objects are all that there is of the job.
func (l *living) objects() []client.Object {
	l.Helper()
	var pods corev1.PodList
	var services corev1.ServiceList
	var groups volcano.PodGroupList
	of := []client.ListOption{client.InNamespace(l.name.Namespace), client.MatchingLabels(plan.Labels(l.name.Name))}
	l.must(errors.Join(l.server.List(l.ctx, &pods, of...), l.server.List(l.ctx, &services, of...), l.server.List(l.ctx, &groups, of...)))
	var all []client.Object
	for i := range pods.Items {
		all = append(all, &pods.Items[i])
	}
	for i := range services.Items {
		all = append(all, &services.Items[i])
	}
	for i := range groups.Items {
		all = append(all, &groups.Items[i])
	}
	return all
}

// rest is what there is when the operator has nothing left to do.
type rest struct {
	Status   kubeflow.JobStatus
	Restarts int
	Objects  []string // of all objects but times, UIDs and versions
}

func (l *living) look() rest {
	l.Helper()
	j := l.job()
	var r plan.Restarts
	if text := j.Annotations[v1alpha1.RestartsAnnotation]; text != "" {
		l.must(json.Unmarshal([]byte(text), &r))
	}
	seen := rest{Status: j.Status, Restarts: r.Count}
	for i := range seen.Status.Conditions {
		seen.Status.Conditions[i].LastUpdateTime, seen.Status.Conditions[i].LastTransitionTime = metav1.Time{}, metav1.Time{}
	}
	for _, at := range []**metav1.Time{&seen.Status.StartTime, &seen.Status.CompletionTime} {
		if *at != nil {
			*at = &metav1.Time{}
		}
	}
	for _, o := range l.objects() {
		if !metav1.IsControlledBy(o, j) {
			l.Fatalf("%s is not of the job", o.GetName())
		}
		o.SetUID("")
		o.SetResourceVersion("")
		o.SetCreationTimestamp(metav1.Time{})
		o.SetManagedFields(nil)
		o.SetGeneration(0)
		o.SetOwnerReferences(nil)
		text, err := json.Marshal(o)
		l.must(err)
		seen.Objects = append(seen.Objects, fmt.Sprintf("%T %s", o, text))
	}
	slices.Sort(seen.Objects)
	return seen
}
