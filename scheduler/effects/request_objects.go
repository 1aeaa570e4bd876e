package effects

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"muster.sh/muster/api/v1alpha1"
	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/gang"
)

// objects builds what asks for room: PodTemplates, and requests that refer to them.
func (a *asks) objects(d *core.AskForRoom) (templates, requests objectsByName, err error) {
	templates, requests = objectsByName{}, objectsByName{}
	if d == nil {
		return templates, requests, nil
	}
	counts := map[string]int64{}
	var sets []podSet
	for i := range d.Lacks {
		count := a.asksFor(&d.Lacks[i])
		if count == 0 {
			continue
		}
		t, err := a.podTemplate(d, &d.Lacks[i])
		if err != nil {
			return nil, nil, err
		}
		if templates[t.GetName()] == nil {
			templates[t.GetName()] = t
			sets = append(sets, podSet{template: t.GetName()})
		}
		counts[t.GetName()] += count
	}
	for i := range sets {
		sets[i].count = counts[sets[i].template]
	}
	api := a.requests()
	for _, spec := range api.specs(a, sets) {
		o, err := build(d, api.resource.GroupVersion(), string(a.Autoscaling.Request), map[string]any{"spec": spec})
		if err != nil {
			return nil, nil, err
		}
		requests[o.GetName()] = o
	}
	return templates, requests, nil
}

// asksFor is for how many of the members that lack room objects ask: pods that are
// marked speak for themselves.
func (a *asks) asksFor(l *core.Lack) int64 {
	if a.Autoscaling.MarkPods {
		return int64(l.Expected)
	}
	return int64(len(l.Pods) + l.Expected)
}

func (a *asks) podTemplate(d *core.AskForRoom, l *core.Lack) (*unstructured.Unstructured, error) {
	template, err := runtime.DefaultUnstructuredConverter.ToUnstructured(a.template(l))
	if err != nil {
		return nil, fmt.Errorf("build a PodTemplate: %w", err)
	}
	return build(d, v1.SchemeGroupVersion, "PodTemplate", map[string]any{"template": template})
}

// build makes an object of a gang. Its name tells what is in it.
func build(d *core.AskForRoom, version schema.GroupVersion, kind string, content map[string]any) (*unstructured.Unstructured, error) {
	data, err := json.Marshal(content)
	if err != nil {
		return nil, fmt.Errorf("build a %s: %w", kind, err)
	}
	o := &unstructured.Unstructured{Object: content}
	o.SetGroupVersionKind(version.WithKind(kind))
	o.SetNamespace(d.Owner.Namespace)
	o.SetName("muster-" + digest(string(d.Gang)+" "+d.Owner.UID) + "-" + digest(string(data)))
	o.SetLabels(gangLabels(d.Gang))
	o.SetAnnotations(map[string]string{v1alpha1.GangLabel: string(d.Gang)})
	o.SetOwnerReferences([]metav1.OwnerReference{{
		APIVersion: d.Owner.APIVersion, Kind: d.Owner.Kind, Name: d.Owner.Name, UID: types.UID(d.Owner.UID),
	}})
	return o, nil
}

// gangLabels find the objects of a gang, whose ID may be longer than a label.
func gangLabels(id gang.ID) map[string]string {
	return map[string]string{v1alpha1.ManagedByLabel: v1alpha1.ManagedBy, v1alpha1.GangLabel: digest(string(id))}
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:10])
}
