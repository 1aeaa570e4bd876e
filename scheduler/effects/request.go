package effects

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"muster.sh/muster/api/v1alpha1"
	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/gang"
)

// errNotServed says that the cluster does not know the kind of the requests.
var errNotServed = errors.New("not served")

// RequestKind is a kind of object by which autoscalers are asked for room.
type RequestKind string

// The kinds of requests. Both are of the group autoscaling.x-k8s.io, and refer to
// PodTemplates that say what one member needs.
const (
	// ProvisioningRequest is of cluster-autoscaler: one asks for a whole gang.
	ProvisioningRequest RequestKind = "ProvisioningRequest"
	// CapacityBuffer is of cluster-autoscaler and of Karpenter: each asks for the
	// members of one role and shape.
	CapacityBuffer RequestKind = "CapacityBuffer"
)

// requestAPI is an API of requests.
type requestAPI struct {
	resource schema.GroupVersionResource
	// specs of what asks for a number of members of each template.
	specs func(*asks, []podSet) []map[string]any
	// over are the conditions with which an autoscaler does nothing more for a request,
	// each with how long the gang is given to start from then on.
	over map[string]time.Duration
}

// podSet is a number of members that need what a PodTemplate says.
type podSet struct {
	template string
	count    int64
}

const autoscalingGroup = "autoscaling.x-k8s.io"

var requestAPIs = map[RequestKind]requestAPI{
	ProvisioningRequest: {
		resource: schema.GroupVersionResource{Group: autoscalingGroup, Version: "v1", Resource: "provisioningrequests"},
		specs:    provisioningRequests,
		over:     map[string]time.Duration{"Failed": 0, "BookingExpired": 0, "CapacityRevoked": 0, "Provisioned": recheck},
	},
	CapacityBuffer: {
		resource: schema.GroupVersionResource{Group: autoscalingGroup, Version: "v1beta1", Resource: "capacitybuffers"},
		specs:    capacityBuffers,
	},
}

var podTemplates = v1.SchemeGroupVersion.WithResource("podtemplates")

// maxPodSets is how many a ProvisioningRequest takes.
const maxPodSets = 32

func provisioningRequests(a *asks, sets []podSet) (out []map[string]any) {
	for chunk := range slices.Chunk(sets, maxPodSets) {
		var list []any
		for _, s := range chunk {
			list = append(list, map[string]any{"podTemplateRef": map[string]any{"name": s.template}, "count": s.count})
		}
		out = append(out, map[string]any{"provisioningClassName": a.Autoscaling.Class, "podSets": list})
	}
	return out
}

func capacityBuffers(_ *asks, sets []podSet) (out []map[string]any) {
	for _, s := range sets {
		out = append(out, map[string]any{
			"podTemplateRef": map[string]any{"name": s.template}, "replicas": s.count,
			"provisioningStrategy": "buffer.x-k8s.io/active-capacity",
		})
	}
	return out
}

func (a *asks) requests() requestAPI { return requestAPIs[a.Autoscaling.Request] }

// request makes the objects that ask for room for a gang those that should be there:
// none where it asks for nothing. Their specs can't be changed, and their names tell
// what is in them.
func (a *asks) request(ctx context.Context, id gang.ID, d *core.AskForRoom) error {
	templates, requests, err := a.objects(d)
	if err != nil {
		return err
	}
	_, namespace, _ := split(id)
	ofTemplates := a.Dynamic.Resource(podTemplates).Namespace(namespace)
	ofRequests := a.Dynamic.Resource(a.requests().resource).Namespace(namespace)
	// Who looks at a request finds its templates: they come before it and go after it.
	if err := a.remove(ctx, ofRequests, id, requests); err != nil {
		return err
	}
	if err := a.remove(ctx, ofTemplates, id, templates); err != nil {
		return err
	}
	if err := add(ctx, ofTemplates, templates); err != nil {
		return err
	}
	return add(ctx, ofRequests, requests)
}

// objectsByName are objects that should be there.
type objectsByName map[string]*unstructured.Unstructured

// remove deletes the objects of a gang that should not be there, or are over. What is
// left in want is to be created.
func (a *asks) remove(ctx context.Context, client dynamic.ResourceInterface, id gang.ID, want objectsByName) error {
	list, err := client.List(ctx, metav1.ListOptions{LabelSelector: labels.Set(gangLabels(id)).String()})
	if apierrors.IsNotFound(err) {
		return errNotServed
	}
	if err != nil {
		return fmt.Errorf("list what asks for room: %w", err)
	}
	for i := range list.Items {
		o := &list.Items[i]
		if want[o.GetName()] != nil && !a.isOver(o) {
			delete(want, o.GetName())
			continue
		}
		uid := o.GetUID()
		err := client.Delete(ctx, o.GetName(), metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid}})
		if err != nil && !apierrors.IsNotFound(err) {
			return fmt.Errorf("delete %s %s: %w", o.GetKind(), o.GetName(), err)
		}
	}
	return nil
}

func add(ctx context.Context, client dynamic.ResourceInterface, missing objectsByName) error {
	for _, name := range slices.Sorted(maps.Keys(missing)) {
		if err := create(ctx, client, missing[name]); err != nil && !apierrors.IsAlreadyExists(err) {
			return fmt.Errorf("create %s %s: %w", missing[name].GetKind(), name, err)
		}
	}
	return nil
}

// isOver says whether an autoscaler does nothing more for a request.
func (a *asks) isOver(u *unstructured.Unstructured) bool {
	conditions, _, _ := unstructured.NestedSlice(u.Object, "status", "conditions")
	return slices.ContainsFunc(conditions, func(item any) bool {
		fields, _ := item.(map[string]any)
		var c metav1.Condition
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(fields, &c); err != nil {
			return false
		}
		grace, ends := a.requests().over[c.Type]
		return ends && c.Status == metav1.ConditionTrue && !c.LastTransitionTime.Add(grace).After(a.Clock.Now())
	})
}

// found returns the gangs for which there are objects that ask for room.
func (a *asks) found(ctx context.Context) ([]gang.ID, error) {
	found := map[gang.ID]bool{}
	ours := labels.Set{v1alpha1.ManagedByLabel: v1alpha1.ManagedBy}.String() + "," + v1alpha1.GangLabel
	for _, of := range []schema.GroupVersionResource{a.requests().resource, podTemplates} {
		list, err := a.Dynamic.Resource(of).List(ctx, metav1.ListOptions{LabelSelector: ours})
		if apierrors.IsNotFound(err) {
			continue // not served
		}
		if err != nil {
			return nil, fmt.Errorf("list %s: %w", of.Resource, err)
		}
		for i := range list.Items {
			id := gang.ID(list.Items[i].GetAnnotations()[v1alpha1.GangLabel])
			if _, namespace, _ := split(id); namespace == list.Items[i].GetNamespace() {
				found[id] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(found)), nil
}
