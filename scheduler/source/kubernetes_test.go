package source

import (
	"errors"
	"reflect"
	"testing"

	v1 "k8s.io/api/core/v1"
	schedulingv1beta1 "k8s.io/api/scheduling/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	discoveryfake "k8s.io/client-go/discovery/fake"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"muster.sh/muster/api/v1alpha1"
	"muster.sh/muster/scheduler/gang"
)

func inSchedulingGroup(name string) podOption {
	return func(p *v1.Pod) { p.Spec.SchedulingGroup = &v1.PodSchedulingGroup{PodGroupName: &name} }
}

func gangPolicy(minCount int32) schedulingv1beta1.PodGroupSchedulingPolicy {
	return schedulingv1beta1.PodGroupSchedulingPolicy{Gang: &schedulingv1beta1.GangSchedulingPolicy{MinCount: minCount}}
}

// newKubernetesGroup builds a PodGroup g of Kubernetes' own.
func newKubernetesGroup(policy schedulingv1beta1.PodGroupSchedulingPolicy) *schedulingv1beta1.PodGroup {
	return &schedulingv1beta1.PodGroup{
		ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "g", UID: "uid-g", CreationTimestamp: metav1.NewTime(epoch)},
		Spec:       schedulingv1beta1.PodGroupSpec{SchedulingPolicy: policy},
	}
}

func TestKubernetesPodGroupIsAGang(t *testing.T) {
	s := newStory(t)
	s.expect("synced")
	s.setPod(newPod("p", inSchedulingGroup("g")))
	s.expect("p is default of k8s-podgroup/team/g")
	s.setGroup(kubernetesGroup(newKubernetesGroup(gangPolicy(3))))
	s.expect("gang k8s-podgroup/team/g; default 0..-1; min 3")
	s.setGroup(kubernetesGroup(newKubernetesGroup(gangPolicy(4)))) // minCount may be changed
	s.expect("gang k8s-podgroup/team/g; default 0..-1; min 4")
	s.removeGroup("k8s-podgroup/team/g")
	s.expect("gone k8s-podgroup/team/g")
}

func TestKubernetesPodGroupWithTheBasicPolicyStartsPodByPod(t *testing.T) {
	s := newStory(t)
	s.expect("synced")
	s.setGroup(kubernetesGroup(newKubernetesGroup(schedulingv1beta1.PodGroupSchedulingPolicy{Basic: &schedulingv1beta1.BasicSchedulingPolicy{}})))
	s.setPod(newPod("p", inSchedulingGroup("g")))
	s.expect("gang k8s-podgroup/team/g; default 0..-1; min 1", "p is default of k8s-podgroup/team/g")
}

func TestKubernetesPodGroupKnowsItsMembersThatHaveEnded(t *testing.T) {
	ended := newPod("done", inSchedulingGroup("g"), on("n"), phaseOf(v1.PodSucceeded))
	if _, err := TrimPod(ended); err != nil {
		t.Fatal(err)
	}
	s := newStory(t, ended)
	if ok, bad := s.ended("k8s-podgroup/team/g"); ok != 1 || bad != 0 {
		t.Fatalf("%d succeeded, %d failed", ok, bad)
	}
	s.removePod(ended)
	if len(s.groups) != 0 {
		t.Fatalf("kept %v", s.groups)
	}
}

func TestKubernetesPodGroupsAreLookedForAtTheStart(t *testing.T) {
	version := schedulingv1beta1.SchemeGroupVersion.String()
	for name, c := range map[string]struct {
		lists []*metav1.APIResourceList
		fails error
		want  bool
	}{
		"served":           {lists: []*metav1.APIResourceList{{GroupVersion: version, APIResources: []metav1.APIResource{{Name: "podgroups"}}}}, want: true},
		"version unknown":  {},
		"resource unknown": {lists: []*metav1.APIResourceList{{GroupVersion: version, APIResources: []metav1.APIResource{{Name: "workloads"}}}}},
		"server is away":   {fails: errors.New("away")},
	} {
		client := fake.NewClientset()
		client.Resources = c.lists
		if c.fails != nil {
			client.PrependReactor("get", "resource", func(clienttesting.Action) (bool, runtime.Object, error) { return true, nil, c.fails })
		}
		got, err := servesPodGroups(client.Discovery().(*discoveryfake.FakeDiscovery))
		if got != c.want || (err != nil) != (c.fails != nil) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

func TestKubernetesPodGroupIsConstrainedToATopology(t *testing.T) {
	pg := newKubernetesGroup(gangPolicy(3))
	pg.Spec.SchedulingConstraints = &schedulingv1beta1.PodGroupSchedulingConstraints{Topology: []schedulingv1beta1.TopologyConstraint{{Key: "example.com/rack"}}}
	if got, want := kubernetesGroup(pg).gang.Topology, (gang.Topology{Levels: []string{"example.com/rack"}, Required: true}); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	pg.Annotations = map[string]string{v1alpha1.PreferredTopologyAnnotation: "zone"}
	if got, want := kubernetesGroup(pg).gang.Topology, (gang.Topology{Levels: []string{"zone"}}); !reflect.DeepEqual(got, want) {
		t.Errorf("with an annotation: %+v, want %+v", got, want)
	}
	pg.Annotations = map[string]string{v1alpha1.RequiredTopologyAnnotation: "no label"}
	if kubernetesGroup(pg).broken == nil {
		t.Error("an annotation that is no label's key is taken")
	}
}
