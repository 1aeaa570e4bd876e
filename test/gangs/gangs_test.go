// Package gangs tells that gangs start whole in whichever way they are declared, and
// where they are to be.
package gangs

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"strings"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	schedulingv1beta1 "k8s.io/api/scheduling/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"muster.sh/muster/api/v1alpha1"
	"muster.sh/muster/benchmarks/audit"
	"muster.sh/muster/test/testcluster"
)

//go:embed coscheduling-crd.yaml
var coschedulingDefinition []byte

//go:embed volcano-crds.yaml
var volcanoDefinitions []byte

var (
	coscheduling = schema.GroupVersionResource{Group: "scheduling.x-k8s.io", Version: "v1alpha1", Resource: "podgroups"}
	kubernetes   = schedulingv1beta1.SchemeGroupVersion.WithResource("podgroups")
)

// A gang of four members for each way, on room for eight members: whoever binds pod
// by pod has parts of all gangs run, for longer than auditors suffer it.
const (
	members = 4
	runs    = 4 * time.Second
)

func spec() testcluster.Spec {
	s := testcluster.Spec{
		Scheduler: testcluster.Muster, Nodes: 4, Shape: "cpu=5,memory=64Gi",
		Manifest: bytes.Join([][]byte{coschedulingDefinition, volcanoDefinitions}, []byte("---\n")),
		Config:   "placement: {strategy: Pack}\n",
	}
	if hasOwnGroups() {
		s.FeatureGates = map[string]bool{"GenericWorkload": true}
		s.RuntimeConfig = map[string]string{"scheduling.k8s.io/v1beta1": "true"}
	}
	return s
}

// hasOwnGroups tells whether Kubernetes has PodGroups of its own, in the version of
// their API that is read here.
func hasOwnGroups() bool { return testcluster.KubernetesVersion() >= "1.37" }

// way declares a gang of pods that the test creates one by one, in the place of a
// controller that the cluster lacks.
type way struct {
	name    string
	declare func(context.Context, *testcluster.Cluster, string) error
	join    func(pod *corev1.Pod, gang string)
}

func ways() []way {
	if hasOwnGroups() {
		return append(waysEverywhere, ownGroup)
	}
	return waysEverywhere
}

var ownGroup = way{
	"kubernetes", createKubernetesGroup,
	func(pod *corev1.Pod, gang string) {
		pod.Spec.SchedulingGroup = &corev1.PodSchedulingGroup{PodGroupName: &gang}
	},
}

var waysEverywhere = []way{
	{
		"coscheduling", createCoschedulingGroup,
		func(pod *corev1.Pod, gang string) {
			pod.Labels = map[string]string{"scheduling.x-k8s.io/pod-group": gang}
		},
	},
	{
		"jobset", nothing,
		func(pod *corev1.Pod, gang string) {
			annotate(pod, map[string]string{"jobset.sigs.k8s.io/jobset-name": gang})
		},
	},
	{
		"lws", nothing,
		func(pod *corev1.Pod, gang string) {
			annotate(pod, map[string]string{
				"leaderworkerset.sigs.k8s.io/name": gang, "leaderworkerset.sigs.k8s.io/group-index": "0",
			})
		},
	},
}

func nothing(context.Context, *testcluster.Cluster, string) error { return nil }

func annotate(pod *corev1.Pod, labels map[string]string) {
	pod.Labels = labels
	pod.Annotations[v1alpha1.GangMembersAnnotation] = fmt.Sprint(members)
}

func createCoschedulingGroup(ctx context.Context, c *testcluster.Cluster, name string) error {
	_, err := c.Dynamic.Resource(coscheduling).Namespace(testcluster.Namespace).Create(ctx, &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": coscheduling.GroupVersion().String(), "kind": "PodGroup",
		"metadata": map[string]any{"name": name}, "spec": map[string]any{"minMember": int64(members)},
	}}, metav1.CreateOptions{})
	return err
}

func createKubernetesGroup(ctx context.Context, c *testcluster.Cluster, name string) error {
	return createPodGroup(ctx, c, metav1.ObjectMeta{Name: name}, gangOf(members))
}

func gangOf(members int) schedulingv1beta1.PodGroupSchedulingPolicy {
	return schedulingv1beta1.PodGroupSchedulingPolicy{Gang: &schedulingv1beta1.GangSchedulingPolicy{MinCount: int32(members)}}
}

func createPodGroup(ctx context.Context, c *testcluster.Cluster, meta metav1.ObjectMeta, policy schedulingv1beta1.PodGroupSchedulingPolicy) error {
	_, err := c.Client().SchedulingV1beta1().PodGroups(testcluster.Namespace).Create(ctx, &schedulingv1beta1.PodGroup{
		ObjectMeta: meta, Spec: schedulingv1beta1.PodGroupSpec{SchedulingPolicy: policy},
	}, metav1.CreateOptions{})
	return err
}

// createPods makes pods of a PodGroup of Kubernetes' own, named after it.
func createPods(ctx context.Context, c *testcluster.Cluster, group string, count, cpus int, runs time.Duration) error {
	for i := range count {
		pod := c.Pod(fmt.Sprintf("%s-%d", group, i), cpus, runs)
		pod.Spec.SchedulingGroup = &corev1.PodSchedulingGroup{PodGroupName: &group}
		if err := c.CreatePod(ctx, pod); err != nil {
			return err
		}
	}
	return nil
}

// createJob leaves it to the Job controller to create the members.
func createJob(ctx context.Context, c *testcluster.Cluster, name string) error {
	pod, n := c.Pod("", 2, runs), int32(members)
	annotate(pod, nil)
	pod.Spec.RestartPolicy = corev1.RestartPolicyNever
	_, err := c.Client().BatchV1().Jobs(testcluster.Namespace).Create(ctx, &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: batchv1.JobSpec{Parallelism: &n, Completions: &n, Template: corev1.PodTemplateSpec{
			ObjectMeta: metav1.ObjectMeta{Annotations: pod.Annotations}, Spec: pod.Spec,
		}},
	}, metav1.CreateOptions{})
	return err
}

// create makes a gang in each way, the first member of each, then the second of each.
// It returns the gangs' names.
func create(ctx context.Context, c *testcluster.Cluster) (gangs []string, err error) {
	for _, way := range ways() {
		if err := way.declare(ctx, c, way.name); err != nil {
			return nil, err
		}
		gangs = append(gangs, way.name)
	}
	for member := range members {
		for _, way := range ways() {
			pod := c.Pod(fmt.Sprintf("%s-%d", way.name, member), 2, runs)
			way.join(pod, way.name)
			if err := c.CreatePod(ctx, pod); err != nil {
				return nil, err
			}
		}
	}
	return append(gangs, "job"), createJob(ctx, c, "job")
}

// find finds the gangs by the names of their pods.
func find(t *testing.T, gangs []string) func(*audit.Timeline) []audit.Gang {
	return func(tl *audit.Timeline) []audit.Gang {
		var found []audit.Gang
		for _, name := range gangs {
			gang := audit.Select(tl, testcluster.Namespace, name, members, func(p *audit.Pod) bool {
				return strings.HasPrefix(p.Name, name+"-")
			})
			if len(gang.Members) != members {
				t.Errorf("the log knows %d members of gang %s, not %d", len(gang.Members), name, members)
			}
			found = append(found, gang)
		}
		return found
	}
}

func TestGangsStartWholeInWhicheverWayTheyAreDeclared(t *testing.T) {
	ctx, c := testcluster.Start(t, spec())
	gangs, err := create(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	c.Gangs = find(t, gangs)
	all := len(gangs) * members
	err = c.Pods.Await(ctx, "all members have ended", func(pods []*corev1.Pod) bool {
		return testcluster.Count(pods, testcluster.Ended) == all
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Await(ctx, coscheduling, "coscheduling", "it has finished", phaseIs("Finished")); err != nil {
		t.Error(err)
	}
	if hasOwnGroups() {
		if err := c.Await(ctx, kubernetes, "kubernetes", "it was scheduled", scheduledIs("True")); err != nil {
			t.Error(err)
		}
	}
	t.Run("the examples of the guide run", func(t *testing.T) { examples(ctx, t, c) })
	stories(ctx, t, c)
	c.RequireNoFault(t, 0)
	if !hasOwnGroups() {
		return
	}
	t.Run("a PodGroup that finds no room says so", func(t *testing.T) { tooLarge(ctx, t, c) })
	t.Run("members that must be together are", func(t *testing.T) { inOneRack(ctx, t, c) })
	t.Run("pods of a basic PodGroup start one by one", func(t *testing.T) { basic(ctx, t, c) })
}

func phaseIs(want string) func(*unstructured.Unstructured) bool {
	return func(u *unstructured.Unstructured) bool {
		phase, _, _ := unstructured.NestedString(u.Object, "status", "phase")
		return phase == want
	}
}

// scheduledIs tells the condition PodGroupInitiallyScheduled.
func scheduledIs(want string) func(*unstructured.Unstructured) bool {
	return func(u *unstructured.Unstructured) bool {
		conditions, _, _ := unstructured.NestedSlice(u.Object, "status", "conditions")
		for _, item := range conditions {
			if c, ok := item.(map[string]any); ok && c["type"] == schedulingv1beta1.PodGroupInitiallyScheduled {
				return c["status"] == want
			}
		}
		return false
	}
}

func tooLarge(ctx context.Context, t *testing.T, c *testcluster.Cluster) {
	if err := createKubernetesGroup(ctx, c, "large"); err != nil {
		t.Fatal(err)
	}
	if err := createPods(ctx, c, "large", members, 6, runs); err != nil {
		t.Fatal(err)
	}
	if err := c.Await(ctx, kubernetes, "large", "it was not scheduled", scheduledIs("False")); err != nil {
		t.Fatal(err)
	}
}

func basic(ctx context.Context, t *testing.T, c *testcluster.Cluster) {
	policy := schedulingv1beta1.PodGroupSchedulingPolicy{Basic: &schedulingv1beta1.BasicSchedulingPolicy{}}
	if err := createPodGroup(ctx, c, metav1.ObjectMeta{Name: "basic"}, policy); err != nil {
		t.Fatal(err)
	}
	const pods, fit = 10, 8 // two on each node
	if err := createPods(ctx, c, "basic", pods, 2, 0); err != nil {
		t.Fatal(err)
	}
	err := c.Pods.Await(ctx, "as many run as there is room for", func(pods []*corev1.Pod) bool {
		return bound(pods, "basic-") == fit
	})
	if err != nil {
		t.Error(err)
	}
}
