package sparkconf

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	nodev1 "k8s.io/api/node/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	podutil "k8s.io/kubernetes/pkg/api/pod"
	"k8s.io/kubernetes/pkg/apis/core"
	corev1conv "k8s.io/kubernetes/pkg/apis/core/v1"
	"k8s.io/kubernetes/plugin/pkg/admission/limitranger"
	"pgregory.net/rapid"
)

// admitted is a pod as the API server's own code stores it, the RuntimeClass
// plugin left out.
func admitted(t fatalfer, pod *corev1.Pod, limitRanges ...*corev1.LimitRange) *corev1.Pod {
	pod = pod.DeepCopy()
	corev1conv.SetObjectDefaults_Pod(pod)
	internal := &core.Pod{}
	if err := corev1conv.Convert_v1_Pod_To_core_Pod(pod, internal, nil); err != nil {
		t.Fatalf("convert: %v", err)
	}
	for _, limitRange := range limitRanges {
		if err := (&limitranger.DefaultLimitRangerActions{}).MutateLimit(limitRange, "pods", internal); err != nil {
			t.Fatalf("apply a LimitRange: %v", err)
		}
	}
	podutil.DefaultPodLevelResources(internal)
	stored := &corev1.Pod{}
	if err := corev1conv.Convert_core_Pod_To_v1_Pod(internal, stored, nil); err != nil {
		t.Fatalf("convert: %v", err)
	}
	return stored
}

func TestLimitRanges(t *testing.T) {
	limitRange := func(name string, item corev1.LimitRangeItem) *corev1.LimitRange {
		return &corev1.LimitRange{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: corev1.LimitRangeSpec{Limits: []corev1.LimitRangeItem{item}}}
	}
	list := func(pairs ...string) corev1.ResourceList {
		all := corev1.ResourceList{}
		for i := 0; i < len(pairs); i += 2 {
			all[corev1.ResourceName(pairs[i])] = resource.MustParse(pairs[i+1])
		}
		return all
	}
	container := func(item corev1.LimitRangeItem) corev1.LimitRangeItem {
		item.Type = corev1.LimitTypeContainer
		return item
	}
	const sidecar = "spec: {containers: [{name: spark}, {name: sidecar}]}"
	for _, test := range []struct {
		name   string
		ranges []*corev1.LimitRange
		want   corev1.ResourceList
	}{
		{name: "a container without requests gets the default",
			ranges: []*corev1.LimitRange{limitRange("a", container(corev1.LimitRangeItem{DefaultRequest: list("cpu", "200m", "memory", "50Mi")}))},
			want:   list("cpu", "1200m", "memory", "1458Mi")},
		{name: "a default for what Spark doesn't ask for goes to every container",
			ranges: []*corev1.LimitRange{limitRange("a", container(corev1.LimitRangeItem{DefaultRequest: list("ephemeral-storage", "1Gi")}))},
			want:   list("cpu", "1", "memory", "1408Mi", "ephemeral-storage", "2Gi")},
		{name: "a default limit makes no request",
			ranges: []*corev1.LimitRange{limitRange("a", container(corev1.LimitRangeItem{Default: list("cpu", "4")}))},
			want:   list("cpu", "1", "memory", "1408Mi")},
		{name: "a range for pods has no defaults",
			ranges: []*corev1.LimitRange{limitRange("a", corev1.LimitRangeItem{Type: corev1.LimitTypePod, DefaultRequest: list("cpu", "200m")})},
			want:   list("cpu", "1", "memory", "1408Mi")},
		{name: "the first range by name goes before the others",
			ranges: []*corev1.LimitRange{
				limitRange("b", container(corev1.LimitRangeItem{DefaultRequest: list("cpu", "300m", "memory", "10Mi")})),
				limitRange("a", container(corev1.LimitRangeItem{DefaultRequest: list("cpu", "200m")}))},
			want: list("cpu", "1200m", "memory", "1418Mi")},
	} {
		t.Run(test.name, func(t *testing.T) {
			app, err := parseTemplate(t, sidecar, nil, Inputs{LimitRanges: test.ranges})
			if err != nil {
				t.Fatal(err)
			}
			requireEqual(t, "requests", PodRequests(&app.ExecutorPod), test.want)
		})
	}

	t.Run("a default limit below the executor's request refuses it, as the API server would", func(t *testing.T) {
		_, err := Parse(Properties{"spark.kubernetes.executor.request.cores": "2"}, Inputs{LimitRanges: []*corev1.LimitRange{
			limitRange("a", container(corev1.LimitRangeItem{Default: list("cpu", "500m")}))}})
		requireKeyError(t, err, "spark.kubernetes.executor.request.cores")
	})
}

func TestRuntimeClasses(t *testing.T) {
	class := &nodev1.RuntimeClass{
		Overhead: &nodev1.Overhead{PodFixed: corev1.ResourceList{"cpu": resource.MustParse("250m"), "memory": resource.MustParse("160Mi")}},
		Scheduling: &nodev1.Scheduling{
			NodeSelector: map[string]string{"runtime": "sandbox"},
			Tolerations:  []corev1.Toleration{{Key: "sandbox", Operator: corev1.TolerationOpExists}},
		},
	}
	find := func(name string) *nodev1.RuntimeClass {
		if name == "sandbox" {
			return class
		}
		return nil
	}
	const inSandbox = "spec: {runtimeClassName: sandbox, tolerations: [{key: sandbox, operator: Exists}]}"
	app, err := parseTemplate(t, inSandbox, Properties{"spark.kubernetes.node.selector.disk": "ssd"}, Inputs{RuntimeClass: find})
	if err != nil {
		t.Fatal(err)
	}
	requireEqual(t, "requests", PodRequests(&app.ExecutorPod),
		corev1.ResourceList{"cpu": resource.MustParse("1250m"), "memory": resource.MustParse("1568Mi")})
	requireEqual(t, "node selector", app.ExecutorPod.NodeSelector, map[string]string{"runtime": "sandbox", "disk": "ssd"})
	requireEqual(t, "tolerations", app.ExecutorPod.Tolerations, class.Scheduling.Tolerations)
	requireEqual(t, "the class's own node selector", class.Scheduling.NodeSelector, map[string]string{"runtime": "sandbox"})

	for name, text := range map[string]string{
		"a class that doesn't exist":          "spec: {runtimeClassName: other}",
		"another overhead than the class has": "spec: {runtimeClassName: sandbox, overhead: {cpu: 1m}}",
		"another node than the class runs on": "spec: {runtimeClassName: sandbox, nodeSelector: {runtime: plain}}",
		"an overhead without a class":         "spec: {overhead: {cpu: 1m}}",
	} {
		t.Run("a template is refused for "+name, func(t *testing.T) {
			_, err := parseTemplate(t, text, nil, Inputs{RuntimeClass: find})
			requireKeyError(t, err, templateKey)
		})
	}
}

// Whatever the template and the namespace's LimitRanges are, the requests are
// those that the API server's own code arrives at.
func TestAdmissionIsTheAPIServers(t *testing.T) {
	// Huge pages are left out: their requests must equal their limits.
	names := []corev1.ResourceName{"cpu", "memory", "ephemeral-storage", "nvidia.com/gpu"}
	resources := rapid.MapOfN(rapid.SampledFrom(names), rapid.Custom(func(t *rapid.T) resource.Quantity {
		return *resource.NewQuantity(rapid.Int64Range(0, 64).Draw(t, "amount"), resource.DecimalSI)
	}), 0, 4)
	requirements := rapid.Custom(func(t *rapid.T) corev1.ResourceRequirements {
		return corev1.ResourceRequirements{Requests: resources.Draw(t, "requests"), Limits: resources.Draw(t, "limits")}
	})
	always := corev1.ContainerRestartPolicyAlways
	container := rapid.Custom(func(t *rapid.T) corev1.Container {
		return corev1.Container{Name: "c", Resources: requirements.Draw(t, "resources"), Ports: []corev1.ContainerPort{{ContainerPort: 80}}}
	})
	rapid.Check(t, func(t *rapid.T) {
		spec := corev1.PodSpec{
			Containers:     rapid.SliceOfN(container, 1, 3).Draw(t, "containers"),
			InitContainers: rapid.SliceOfN(container, 0, 3).Draw(t, "init containers"),
			HostNetwork:    rapid.Bool().Draw(t, "host network"),
		}
		for i := range spec.InitContainers {
			if rapid.Bool().Draw(t, "sidecar") {
				spec.InitContainers[i].RestartPolicy = &always
			}
		}
		if rapid.Bool().Draw(t, "pod-level") {
			whole := requirements.Draw(t, "pod resources")
			spec.Resources = &whole
		}
		limitRange := &corev1.LimitRange{Spec: corev1.LimitRangeSpec{Limits: []corev1.LimitRangeItem{{
			Type: corev1.LimitTypeContainer, Default: resources.Draw(t, "default"), DefaultRequest: resources.Draw(t, "default request"),
		}}}}
		corev1conv.SetObjectDefaults_LimitRange(limitRange)
		want := admitted(t, &corev1.Pod{Spec: spec}, limitRange)

		(&settings{}).admit(&spec, []*corev1.LimitRange{limitRange}, nil)
		if got, want := PodRequests(&spec), PodRequests(&want.Spec); !equality.Semantic.DeepEqual(got, want) {
			t.Fatalf("requests are %v, the API server's %v", got, want)
		}
		got, stored := containers(spec.Containers), containers(want.Spec.Containers)
		if !equality.Semantic.DeepEqual(got, stored) {
			t.Fatalf("containers are %v, the API server's %v", got, stored)
		}
	})
}
