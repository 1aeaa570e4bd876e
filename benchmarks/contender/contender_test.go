package contender

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"muster.sh/muster/api/v1alpha1"
	"muster.sh/muster/benchmarks/scenario"
	"muster.sh/muster/internal/localcluster"
)

var folders = Folders{Volcano: "/volcano", YuniKorn: "/yunikorn"}

// Where a scheduler reads the least number of members, by its name.
var sizeAt = map[string][]string{
	"muster":              {"spec", "minMember"},
	"volcano":             {"spec", "minMember"},
	"coscheduling":        {"spec", "minMember"},
	"kube-scheduler-gang": {"spec", "schedulingPolicy", "gang", "minCount"},
}

func TestAGangIsDeclaredWithItsNameAndSize(t *testing.T) {
	for _, c := range All(folders) {
		if c.Declare == nil {
			continue
		}
		object := c.Declare(Gang{Namespace: "n", Name: "g", Size: 7})
		size, found, err := unstructured.NestedInt64(object.Object, sizeAt[c.Name]...)
		if err != nil || !found || size != 7 {
			t.Errorf("%s: at %v is %d, %t, %v", c.Name, sizeAt[c.Name], size, found, err)
		}
		if object.GetNamespace() != "n" || object.GetName() != "g" {
			t.Errorf("%s: it is called %s/%s", c.Name, object.GetNamespace(), object.GetName())
		}
		if got := object.GroupVersionKind().GroupVersion(); got != c.Groups.GroupVersion() {
			t.Errorf("%s: it is of %s, but is sent to %s", c.Name, got, c.Groups.GroupVersion())
		}
	}
}

func TestAMemberNamesItsGang(t *testing.T) {
	for _, c := range All(folders) {
		if c.PlainOnly || c.Blind {
			continue
		}
		pod := &corev1.Pod{}
		pod.Labels = map[string]string{}
		c.Join(pod, Gang{Namespace: "n", Name: "g", Size: 7})
		named := pod.Spec.SchedulingGroup != nil && *pod.Spec.SchedulingGroup.PodGroupName == "g"
		sized := c.Declare != nil
		for _, values := range []map[string]string{pod.Labels, pod.Annotations} {
			for _, value := range values {
				named = named || value == "g"
				sized = sized || strings.Contains(value, "7")
			}
		}
		if !named || !sized {
			t.Errorf("%s: the gang is named: %t; its size is known: %t", c.Name, named, sized)
		}
	}
}

func TestAContenderIsFoundByItsName(t *testing.T) {
	for _, c := range All(folders) {
		if found, err := Find(c.Name, folders); err != nil || found.Name != c.Name {
			t.Errorf("%s: found %s, %v", c.Name, found.Name, err)
		}
	}
	if _, err := Find("no-such", folders); err == nil {
		t.Error("one that doesn't exist was found")
	}
	if _, err := Find("volcano", Folders{}); err == nil || !strings.Contains(err.Error(), "--volcano-dir") {
		t.Errorf("one without its programs: %v", err)
	}
}

func TestTenantsHaveQueuesOfTheirNamesAndParts(t *testing.T) {
	for _, c := range All(folders) {
		if c.Tenants == nil {
			continue
		}
		part := corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("7"), corev1.ResourceMemory: resource.MustParse("9Gi")}
		named := map[string]string{}
		for _, u := range c.Tenants(part, []string{"day", "night"}) {
			text, err := u.MarshalJSON()
			if err != nil {
				t.Fatal(err)
			}
			named[u.GetName()] += string(text)
		}
		for _, name := range []string{"day", "night"} {
			if text := named[name]; !strings.Contains(text, "7") || !strings.Contains(text, "9Gi") {
				t.Errorf("%s: %s has %s", c.Name, name, text)
			}
		}
		group, pod := &unstructured.Unstructured{}, c.NewPod(Gang{Name: "g"}, 0)
		g := Gang{Namespace: "n", Name: "g", Size: 2, Queue: "night"}
		if c.Declare != nil {
			group = c.Declare(g)
		}
		c.Join(pod, g)
		queue, _, _ := unstructured.NestedString(group.Object, "spec", "queue")
		if queue != "night" && !slices.Contains(slices.Collect(maps.Values(pod.Labels)), "night") {
			t.Errorf("%s: neither its group nor its pods name its queue", c.Name)
		}
	}
}

func TestPodsAskForGPUsWhereTheirGangDoes(t *testing.T) {
	for _, c := range All(folders) {
		if c.PlainOnly {
			continue
		}
		for gpus, want := range map[int]bool{0: false, 8: true} {
			g := Gang{Namespace: "n", Name: "g", Size: 2, GPUs: gpus}
			pod := c.NewPod(g, 0)
			c.Join(pod, g)
			n, asks := pod.Spec.Containers[0].Resources.Requests[scenario.GPU]
			if asks != want || n.Value() != int64(gpus) {
				t.Errorf("%s: a pod of a gang with %d GPUs each asks for %s", c.Name, gpus, n.String())
			}
			if told := strings.Contains(fmt.Sprint(pod.Annotations), scenario.GPU); told != (want && c.Name == "yunikorn") {
				t.Errorf("%s: that a pod tells of GPUs, of %d each, is %t", c.Name, gpus, told)
			}
		}
	}
}

func TestOnlyWhoReadsRuntimesIsToldAndTakesPartWhereTheyAreDeclared(t *testing.T) {
	silent := scenario.Scenario{Name: "trace/e13805", Mode: scenario.Trace}
	declared := scenario.Scenario{Name: "trace-declared/e13805", Mode: scenario.Trace, Declared: true}
	for _, c := range All(folders) {
		gangs := !c.PlainOnly && !c.Blind
		if c.Does(silent) != gangs || c.Does(declared) != (gangs && c.Runtimes) || c.Runtimes != (c.Name == "muster") {
			t.Errorf("%s: it does a trace: %t; with runtimes: %t", c.Name, c.Does(silent), c.Does(declared))
		}
		if c.Declare == nil {
			continue
		}
		says := c.Declare(Gang{Namespace: "n", Name: "g", Size: 2, Runtime: 2500 * time.Millisecond}).GetAnnotations()[v1alpha1.RuntimeAnnotation]
		if (says == "2.5s") != c.Runtimes || (says == "") == c.Runtimes {
			t.Errorf("%s: its gang says that it runs for %q", c.Name, says)
		}
		if said := c.Declare(Gang{Namespace: "n", Name: "g", Size: 2}).GetAnnotations(); len(said) > 0 {
			t.Errorf("%s: a gang that doesn't say how long it runs says %v", c.Name, said)
		}
	}
}

func TestKueueHasAllGPUsOfTheCluster(t *testing.T) {
	for shape, want := range map[string]string{
		"cpu=16,memory=64Gi":                  "nvidia.com/gpu, nominalQuota: 0}",
		"cpu=16,memory=64Gi,nvidia.com/gpu=8": "nvidia.com/gpu, nominalQuota: 88}",
	} {
		parsed, err := localcluster.ParseShape(shape)
		if err != nil {
			t.Fatal(err)
		}
		objects := kueueQueue(&localcluster.Spec{SimNodes: 11, SimNodeShape: parsed})
		if !strings.Contains(objects, want) || !strings.Contains(objects, "coveredResources: [cpu, memory, nvidia.com/gpu]") {
			t.Errorf("on nodes of %s there is no %q in\n%s", shape, want, objects)
		}
	}
}
