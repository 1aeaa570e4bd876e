package contender

import (
	"maps"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
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
