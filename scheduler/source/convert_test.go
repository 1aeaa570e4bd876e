package source

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"muster.sh/muster/scheduler/cluster"
	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/gang"
)

func TestNodeKeepsWhatKeepsPodsOff(t *testing.T) {
	n := &v1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: "n1", Labels: map[string]string{"zone": "a"}},
		Spec: v1.NodeSpec{Unschedulable: true, Taints: []v1.Taint{
			{Key: "gpu", Value: "yes", Effect: v1.TaintEffectNoSchedule},
			{Key: "soft", Effect: v1.TaintEffectPreferNoSchedule},
			{Key: "drain", Effect: v1.TaintEffectNoExecute},
		}},
		Status: v1.NodeStatus{
			Capacity: v1.ResourceList{v1.ResourceCPU: resource.MustParse("64")},
			Allocatable: v1.ResourceList{
				v1.ResourceCPU: resource.MustParse("3500m"), v1.ResourceMemory: resource.MustParse("8Gi"),
				v1.ResourceEphemeralStorage: resource.MustParse("10Gi"), v1.ResourcePods: resource.MustParse("110"),
				"nvidia.com/gpu": resource.MustParse("8"), "hugepages-2Mi": resource.MustParse("4Mi"), "not-a-resource": resource.MustParse("1"),
			},
			// The condition alone says nothing: kube-scheduler goes by taints.
			Conditions: []v1.NodeCondition{{Type: v1.NodeReady, Status: v1.ConditionFalse}},
		},
	}
	want := cluster.Node{
		Name: "n1", Labels: map[string]string{"zone": "a"}, Unschedulable: true, Ready: true,
		Taints: []gang.Taint{{Key: "gpu", Value: "yes", Effect: gang.NoSchedule}, {Key: "drain", Effect: gang.NoExecute}},
	}
	want.Allocatable.MilliCPU, want.Allocatable.Memory, want.Allocatable.Storage, want.Allocatable.Pods = 3500, 8<<30, 10<<30, 110
	want.Allocatable = want.Allocatable.With("nvidia.com/gpu", 8).With("hugepages-2Mi", 4<<20)
	if diff := cmp.Diff(want, node(n)); diff != "" {
		t.Fatal(diff)
	}
}

func TestNodeIsReadyUnlessATaintSaysOtherwise(t *testing.T) {
	for taint, ready := range map[v1.Taint]bool{
		{Key: v1.TaintNodeNotReady, Effect: v1.TaintEffectNoSchedule}:       false,
		{Key: v1.TaintNodeUnreachable, Effect: v1.TaintEffectNoExecute}:     false,
		{Key: v1.TaintNodeMemoryPressure, Effect: v1.TaintEffectNoSchedule}: true,
	} {
		n := &v1.Node{Spec: v1.NodeSpec{Taints: []v1.Taint{taint}}}
		if got := node(n).Ready; got != ready {
			t.Errorf("taint %v: ready %v, want %v", taint, got, ready)
		}
	}
}

func TestShape(t *testing.T) {
	always := v1.ContainerRestartPolicyAlways
	required := func(terms ...v1.NodeSelectorTerm) *v1.Affinity {
		return &v1.Affinity{NodeAffinity: &v1.NodeAffinity{
			RequiredDuringSchedulingIgnoredDuringExecution: &v1.NodeSelector{NodeSelectorTerms: terms},
		}}
	}
	in := func(key string, values ...string) v1.NodeSelectorRequirement {
		return v1.NodeSelectorRequirement{Key: key, Operator: v1.NodeSelectorOpIn, Values: values}
	}
	podTerm := []v1.PodAffinityTerm{{TopologyKey: "zone"}}
	for name, c := range map[string]struct {
		spec v1.PodSpec
		want gang.Shape
	}{
		"a node selector is one alternative, sorted by key": {
			v1.PodSpec{NodeSelector: map[string]string{"b": "2", "a": "1"}},
			gang.Shape{Affinity: []gang.Term{{{Key: "a", Operator: gang.In, Values: []string{"1"}}, {Key: "b", Operator: gang.In, Values: []string{"2"}}}}},
		},
		"a node selector is part of every alternative of the affinity": {
			v1.PodSpec{NodeSelector: map[string]string{"a": "1"}, Affinity: required(
				v1.NodeSelectorTerm{MatchExpressions: []v1.NodeSelectorRequirement{in("x", "y")}},
				v1.NodeSelectorTerm{MatchFields: []v1.NodeSelectorRequirement{in("metadata.name", "n1")}},
			)},
			gang.Shape{Affinity: []gang.Term{
				{{Key: "a", Operator: gang.In, Values: []string{"1"}}, {Key: "x", Operator: gang.In, Values: []string{"y"}}},
				{{Key: "a", Operator: gang.In, Values: []string{"1"}}, {Key: "metadata.name", Operator: gang.In, Values: []string{"n1"}, Field: true}},
			}},
		},
		"an affinity of empty terms admits no node": {
			v1.PodSpec{Affinity: required(v1.NodeSelectorTerm{})},
			gang.Shape{Affinity: []gang.Term{{nowhere}}},
		},
		"tolerations of taints that keep nobody off are left out": {
			v1.PodSpec{Tolerations: []v1.Toleration{
				{Key: "k", Operator: v1.TolerationOpExists, Effect: v1.TaintEffectNoExecute, TolerationSeconds: new(int64)},
				{Key: "p", Effect: v1.TaintEffectPreferNoSchedule}, {Key: "e", Value: "v"},
			}},
			gang.Shape{Tolerations: []gang.Toleration{{Key: "k", AnyValue: true, Effect: gang.NoExecute}, {Key: "e", Value: "v"}}},
		},
		"host ports of containers and sidecars count, those of init containers do not": {
			v1.PodSpec{
				InitContainers: []v1.Container{
					{Ports: []v1.ContainerPort{{HostPort: 1}}},
					{RestartPolicy: &always, Ports: []v1.ContainerPort{{HostPort: 2, Protocol: v1.ProtocolUDP, HostIP: "10.0.0.1"}}},
				},
				Containers: []v1.Container{{Ports: []v1.ContainerPort{{HostPort: 3}, {ContainerPort: 4}}}},
			},
			gang.Shape{HostPorts: []string{"TCP/0.0.0.0/3", "UDP/10.0.0.1/2"}},
		},
		"a claim on a volume is opaque": {
			v1.PodSpec{Volumes: []v1.Volume{{VolumeSource: v1.VolumeSource{PersistentVolumeClaim: &v1.PersistentVolumeClaimVolumeSource{}}}}},
			gang.Shape{Opaque: true},
		},
		"an emptyDir and a ConfigMap are not opaque": {
			v1.PodSpec{Volumes: []v1.Volume{
				{VolumeSource: v1.VolumeSource{EmptyDir: &v1.EmptyDirVolumeSource{}}}, {VolumeSource: v1.VolumeSource{ConfigMap: &v1.ConfigMapVolumeSource{}}},
			}},
			gang.Shape{},
		},
		"required pod affinity is opaque": {
			v1.PodSpec{Affinity: &v1.Affinity{PodAffinity: &v1.PodAffinity{RequiredDuringSchedulingIgnoredDuringExecution: podTerm}}},
			gang.Shape{Opaque: true},
		},
		"required pod anti-affinity is opaque": {
			v1.PodSpec{Affinity: &v1.Affinity{PodAntiAffinity: &v1.PodAntiAffinity{RequiredDuringSchedulingIgnoredDuringExecution: podTerm}}},
			gang.Shape{Opaque: true},
		},
		"a wish to be spread is not opaque, a demand is": {
			v1.PodSpec{TopologySpreadConstraints: []v1.TopologySpreadConstraint{{WhenUnsatisfiable: v1.ScheduleAnyway}, {WhenUnsatisfiable: v1.DoNotSchedule}}},
			gang.Shape{Opaque: true},
		},
		"a resource claim is opaque": {
			v1.PodSpec{ResourceClaims: []v1.PodResourceClaim{{Name: "gpu"}}},
			gang.Shape{Opaque: true},
		},
	} {
		t.Run(name, func(t *testing.T) {
			c.want.Request.Pods = 1
			if diff := cmp.Diff(c.want, ShapeOf(&v1.Pod{Spec: c.spec})); diff != "" {
				t.Fatal(diff)
			}
		})
	}
}

func TestEnd(t *testing.T) {
	disruption := func(p *v1.Pod) {
		p.Status.Conditions = []v1.PodCondition{{Type: v1.DisruptionTarget, Status: v1.ConditionTrue}}
	}
	for name, c := range map[string]struct {
		pod      *v1.Pod
		deletion bool
		want     core.End
	}{
		"a pod that failed":                                     {newPod("p", phaseOf(v1.PodFailed)), false, core.Failed},
		"a pod that failed because it was deleted":              {newPod("p", phaseOf(v1.PodFailed)), true, core.Deleted},
		"a pod that ended well":                                 {newPod("p", phaseOf(v1.PodSucceeded)), false, core.Succeeded},
		"a pod that ended well because it was deleted":          {newPod("p", phaseOf(v1.PodSucceeded)), true, core.Deleted},
		"a pod that vanished while it ran":                      {newPod("p", phaseOf(v1.PodRunning)), false, core.Deleted},
		"a pod that was evicted is lost, as one that failed":    {newPod("p", phaseOf(v1.PodFailed), disruption), true, core.Failed},
		"a pod deleted with its node is lost, though it ran on": {newPod("p", phaseOf(v1.PodRunning), disruption), true, core.Failed},
	} {
		t.Run(name, func(t *testing.T) {
			if got := end(c.pod, c.deletion); got != c.want {
				t.Fatalf("%s, want %s", got, c.want)
			}
		})
	}
}

func TestGangOf(t *testing.T) {
	for name, c := range map[string]struct {
		pod  *v1.Pod
		id   gang.ID
		role string
	}{
		"a plain pod is single":        {newPod("p"), "", ""},
		"a driver":                     {newPod("p", driverOf("app")), "spark/team/app", "driver"},
		"an executor":                  {newPod("p", executorOf("app")), "spark/team/app", "executor"},
		"a role without an app":        {newPod("p", label("spark-role", "driver")), "", ""},
		"an app without a known role":  {newPod("p", executorOf("app"), label("spark-role", "worker")), "", ""},
		"a member of a PodGroup":       {newPod("p", inGroup("g")), "podgroup/team/g", "default"},
		"a task of a PodGroup":         {newPod("p", inGroup("g"), annotation("volcano.sh/task-spec", "ps")), "podgroup/team/g", "ps"},
		"Volcano's own annotation":     {newPod("p", annotation("scheduling.volcano.sh/group-name", "g")), "podgroup/team/g", "default"},
		"an empty group name":          {newPod("p", inGroup("")), "", ""},
		"a driver in Spark's PodGroup": {newPod("p", driverOf("app"), inGroup("g")), "spark/team/app", "driver"},
		"another namespace":            {newPod("p", inGroup("g"), in("other")), "podgroup/other/g", "default"},
	} {
		t.Run(name, func(t *testing.T) {
			id, role, ok := GangOf(c.pod)
			if id != c.id || role != c.role || ok != (c.id != "") {
				t.Fatalf("%q %q %v, want %q %q", id, role, ok, c.id, c.role)
			}
		})
	}
}
