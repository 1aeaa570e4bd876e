package memory

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	coreclient "k8s.io/client-go/kubernetes/typed/core/v1"
)

type pods struct {
	coreclient.PodInterface
	api       *API
	namespace string
}

// Get returns a pod.
func (p pods) Get(_ context.Context, name string, _ metav1.GetOptions) (*corev1.Pod, error) {
	return p.api.pods.get(p.namespace, name)
}

// List returns all pods.
func (p pods) List(context.Context, metav1.ListOptions) (*corev1.PodList, error) {
	all, version := p.api.pods.all()
	list := &corev1.PodList{ListMeta: metav1.ListMeta{ResourceVersion: version}, Items: make([]corev1.Pod, len(all))}
	for i, pod := range all {
		pod.DeepCopyInto(&list.Items[i])
	}
	return list, nil
}

// Watch tells of all pods that change.
func (p pods) Watch(_ context.Context, o metav1.ListOptions) (watch.Interface, error) {
	return p.api.pods.watch(o.ResourceVersion)
}

// Bind puts a pod on a node, once.
func (p pods) Bind(_ context.Context, b *corev1.Binding, _ metav1.CreateOptions) error {
	_, err := p.api.pods.change(p.namespace, b.Name, func(old *corev1.Pod) (*corev1.Pod, error) {
		switch {
		case b.UID != "" && b.UID != old.UID:
			return nil, p.conflict(b.Name, fmt.Errorf("the pod has UID %s, not %s", old.UID, b.UID))
		case old.Spec.NodeName != "":
			return nil, p.conflict(b.Name, fmt.Errorf("pod %s is already assigned to node %q", b.Name, old.Spec.NodeName))
		}
		now := *old
		now.Spec.NodeName = b.Target.Name
		now.Status.Conditions = withCondition(old.Status.Conditions, corev1.PodCondition{
			Type: corev1.PodScheduled, Status: corev1.ConditionTrue, LastTransitionTime: metav1.Now(),
		})
		return &now, nil
	})
	p.api.noteBind(Bind{Pod: b.Name, Node: b.Target.Name, At: time.Now()}, err)
	return err
}

func (p pods) conflict(name string, err error) error {
	return apierrors.NewConflict(corev1.Resource("pods/binding"), name, err)
}

func (a *API) noteBind(b Bind, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err != nil {
		a.refused++
		return
	}
	a.binds = append(a.binds, b)
}

// withCondition returns conditions with one set.
func withCondition(conditions []corev1.PodCondition, c corev1.PodCondition) []corev1.PodCondition {
	out := slices.DeleteFunc(slices.Clone(conditions), func(old corev1.PodCondition) bool { return old.Type == c.Type })
	return append(out, c)
}

// Patch sets conditions of a pod, and knows no other patch.
func (p pods) Patch(_ context.Context, name string, kind types.PatchType, data []byte, _ metav1.PatchOptions, subresources ...string) (*corev1.Pod, error) {
	if kind != types.StrategicMergePatchType || !slices.Equal(subresources, []string{"status"}) {
		return nil, apierrors.NewMethodNotSupported(corev1.Resource("pods"), "patch")
	}
	var patch corev1.Pod
	if err := json.Unmarshal(data, &patch); err != nil {
		return nil, apierrors.NewBadRequest("patch of a pod: " + err.Error())
	}
	p.api.patches.Add(1)
	pod, err := p.api.pods.change(p.namespace, name, func(old *corev1.Pod) (*corev1.Pod, error) {
		if patch.UID != "" && patch.UID != old.UID {
			return nil, apierrors.NewConflict(corev1.Resource("pods"), name, fmt.Errorf("the pod has UID %s, not %s", old.UID, patch.UID))
		}
		now := *old
		for _, c := range patch.Status.Conditions {
			now.Status.Conditions = withCondition(now.Status.Conditions, c)
		}
		return &now, nil
	})
	if err != nil {
		return nil, err
	}
	return pod.DeepCopy(), nil
}
