package source

import (
	"fmt"
	"testing"

	v1 "k8s.io/api/core/v1"
	apiresource "k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	corev1helpers "k8s.io/component-helpers/scheduling/corev1"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/scheduler/framework"
	"pgregory.net/rapid"

	"muster.sh/muster/scheduler/resource"
)

// Two books are kept of the same room, ours and kube-scheduler's. These
// properties hold ours to kube-scheduler's own code.

func drawResources(t *rapid.T, what string) v1.ResourceList {
	names := []v1.ResourceName{"cpu", "memory", "ephemeral-storage", "nvidia.com/gpu", "hugepages-2Mi", "example.com/x",
		"attachable-volumes-csi", "storage", "requests.example.com/y", "kubernetes.io/batch-cpu"}
	amounts := []string{"0", "1", "100m", "1500m", "1Gi", "0.5", "3", "17k", "123456789"}
	list := v1.ResourceList{}
	for i := range rapid.IntRange(0, 4).Draw(t, what+" count") {
		name := rapid.SampledFrom(names).Draw(t, fmt.Sprintf("%s name %d", what, i))
		list[name] = apiresource.MustParse(rapid.SampledFrom(amounts).Draw(t, fmt.Sprintf("%s amount %d", what, i)))
	}
	return list
}

func drawPodOfResources(t *rapid.T) *v1.Pod {
	always := v1.ContainerRestartPolicyAlways
	p := &v1.Pod{}
	for i := range rapid.IntRange(1, 3).Draw(t, "containers") {
		name := fmt.Sprintf("c%d", i)
		p.Spec.Containers = append(p.Spec.Containers, v1.Container{Name: name, Resources: v1.ResourceRequirements{Requests: drawResources(t, name)}})
		if rapid.Bool().Draw(t, name+" resized") {
			p.Status.ContainerStatuses = append(p.Status.ContainerStatuses, v1.ContainerStatus{
				Name: name, AllocatedResources: drawResources(t, name+" allocated"),
				Resources: &v1.ResourceRequirements{Requests: drawResources(t, name+" actual")},
			})
		}
	}
	for i := range rapid.IntRange(0, 2).Draw(t, "init containers") {
		name := fmt.Sprintf("i%d", i)
		c := v1.Container{Name: name, Resources: v1.ResourceRequirements{Requests: drawResources(t, name)}}
		if rapid.Bool().Draw(t, name+" sidecar") {
			c.RestartPolicy = &always
		}
		p.Spec.InitContainers = append(p.Spec.InitContainers, c)
	}
	if rapid.Bool().Draw(t, "pod level") {
		p.Spec.Resources = &v1.ResourceRequirements{Requests: drawResources(t, "pod")}
	}
	if rapid.Bool().Draw(t, "overhead") {
		p.Spec.Overhead = drawResources(t, "overhead")
	}
	return p
}

func TestPodTakesTheRoomThatKubeSchedulerCounts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPodOfResources(t)
		info, err := framework.NewPodInfo(p)
		if err != nil {
			t.Fatal(err)
		}
		theirs := info.CalculateResource().Resource
		want := resource.Vector{MilliCPU: theirs.GetMilliCPU(), Memory: theirs.GetMemory(), Storage: theirs.GetEphemeralStorage(), Pods: 1}
		for name, value := range theirs.GetScalarResources() {
			want = want.With(string(name), value)
		}
		if got := podRequest(p); !got.Equal(want) {
			t.Fatalf("we count %s, kube-scheduler %s", got, want)
		}
	})
}

func TestTrimmedPodTakesTheSameRoom(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPodOfResources(t)
		want := podSet(p, "g", "r")
		trimmed, err := TrimPod(p.DeepCopy())
		if err != nil {
			t.Fatal(err)
		}
		if got := podSet(trimmed.(*v1.Pod), "g", "r"); !got.Pod.Request.Equal(want.Pod.Request) {
			t.Fatalf("%s after trimming, %s before", got.Pod.Request, want.Pod.Request)
		}
	})
}

func drawLabels(t *rapid.T, what string) map[string]string {
	return rapid.MapOfN(rapid.SampledFrom([]string{"a", "b", "c"}), rapid.SampledFrom([]string{"", "1", "2", "x"}), 0, 3).Draw(t, what)
}

func drawRequirements(t *rapid.T, what string) []v1.NodeSelectorRequirement {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) v1.NodeSelectorRequirement {
		r := v1.NodeSelectorRequirement{Key: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "key")}
		r.Operator = rapid.SampledFrom([]v1.NodeSelectorOperator{"In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"}).Draw(t, "operator")
		switch r.Operator {
		case v1.NodeSelectorOpIn, v1.NodeSelectorOpNotIn:
			r.Values = rapid.SliceOfN(rapid.SampledFrom([]string{"", "1", "2", "x"}), 1, 2).Draw(t, "values")
		case v1.NodeSelectorOpGt, v1.NodeSelectorOpLt:
			r.Values = []string{rapid.SampledFrom([]string{"0", "1", "2"}).Draw(t, "bound")}
		}
		return r
	}), 0, 2).Draw(t, what)
}

func drawAffinity(t *rapid.T) *v1.Affinity {
	if rapid.Bool().Draw(t, "no affinity") {
		return nil
	}
	terms := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) v1.NodeSelectorTerm {
		term := v1.NodeSelectorTerm{MatchExpressions: drawRequirements(t, "expressions")}
		if rapid.Bool().Draw(t, "by name") {
			term.MatchFields = []v1.NodeSelectorRequirement{{Key: "metadata.name", Operator: v1.NodeSelectorOpIn, Values: []string{"n1"}}}
		}
		return term
	}), 1, 3).Draw(t, "terms")
	return &v1.Affinity{NodeAffinity: &v1.NodeAffinity{
		RequiredDuringSchedulingIgnoredDuringExecution: &v1.NodeSelector{NodeSelectorTerms: terms},
	}}
}

func TestShapeAdmitsTheNodesThatKubeSchedulerAdmits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := &v1.Pod{Spec: v1.PodSpec{NodeSelector: drawLabels(t, "selector"), Affinity: drawAffinity(t)}}
		n := &v1.Node{ObjectMeta: metav1.ObjectMeta{Name: rapid.SampledFrom([]string{"n1", "n2"}).Draw(t, "node"), Labels: drawLabels(t, "labels")}}
		want, err := nodeaffinity.GetRequiredNodeAffinity(p).Match(n)
		if err != nil {
			t.Fatal(err)
		}
		s := ShapeOf(p)
		if got := s.Admits(n.Name, n.Labels); got != want {
			t.Fatalf("we say %v, kube-scheduler %v", got, want)
		}
	})
}

func TestShapeBearsTheTaintsThatKubeSchedulerBears(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := &v1.Pod{Spec: v1.PodSpec{Tolerations: rapid.SliceOfN(rapid.Custom(drawToleration), 0, 3).Draw(t, "tolerations")}}
		taint := v1.Taint{
			Key:    rapid.SampledFrom([]string{"a", "b"}).Draw(t, "key"),
			Value:  rapid.SampledFrom([]string{"", "1", "2"}).Draw(t, "value"),
			Effect: rapid.SampledFrom([]v1.TaintEffect{v1.TaintEffectNoExecute, v1.TaintEffectNoSchedule}).Draw(t, "effect"),
		}
		want := corev1helpers.TolerationsTolerateTaint(klog.Background(), p.Spec.Tolerations, &taint, false)
		s := ShapeOf(p)
		ours := node(&v1.Node{Spec: v1.NodeSpec{Taints: []v1.Taint{taint}}}).Taints
		if got := s.Tolerates(ours[0]); got != want {
			t.Fatalf("we say %v, kube-scheduler %v", got, want)
		}
	})
}

func drawToleration(t *rapid.T) v1.Toleration {
	o := v1.Toleration{
		Key:      rapid.SampledFrom([]string{"a", "b"}).Draw(t, "key"),
		Operator: rapid.SampledFrom([]v1.TolerationOperator{"", "Equal", "Exists", "Gt", "Lt"}).Draw(t, "operator"),
		Value:    rapid.SampledFrom([]string{"", "1", "2"}).Draw(t, "value"),
		Effect:   rapid.SampledFrom([]v1.TaintEffect{"", v1.TaintEffectNoExecute, v1.TaintEffectNoSchedule, v1.TaintEffectPreferNoSchedule}).Draw(t, "effect"),
	}
	if o.Operator == v1.TolerationOpExists {
		o.Value = ""
		if rapid.Bool().Draw(t, "every key") {
			o.Key = ""
		}
	}
	return o
}
