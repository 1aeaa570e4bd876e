package testcluster

import (
	"context"
	"fmt"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	listers "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
)

// Pods is a live view of all pods, that survives restarts of the API server.
type Pods struct {
	lister listers.PodLister

	mu      sync.Mutex
	changed chan struct{} // closed and replaced with every change
}

func watchPods(ctx context.Context, client kubernetes.Interface) (*Pods, error) {
	factory := informers.NewSharedInformerFactory(client, 0)
	informer := factory.Core().V1().Pods()
	p := &Pods{lister: informer.Lister(), changed: make(chan struct{})}
	_, err := informer.Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { p.signal() },
		UpdateFunc: func(any, any) { p.signal() },
		DeleteFunc: func(any) { p.signal() },
	})
	if err != nil {
		return nil, fmt.Errorf("watch pods: %w", err)
	}
	factory.StartWithContext(ctx)
	if !cache.WaitForCacheSync(ctx.Done(), informer.Informer().HasSynced) {
		return nil, fmt.Errorf("watch pods: %w", context.Cause(ctx))
	}
	return p, nil
}

func (p *Pods) signal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.changed)
	p.changed = make(chan struct{})
}

// List returns the pods that match, all if it is nil.
func (p *Pods) List(matches func(*corev1.Pod) bool) []*corev1.Pod {
	all, err := p.lister.List(labels.Everything())
	if err != nil {
		panic(err) // a lister over a cache has no errors
	}
	var pods []*corev1.Pod
	for _, pod := range all {
		if matches == nil || matches(pod) {
			pods = append(pods, pod)
		}
	}
	return pods
}

// Await waits until the condition holds for all pods; it is asked again with
// every change of any of them.
func (p *Pods) Await(ctx context.Context, what string, holds func([]*corev1.Pod) bool) error {
	for {
		p.mu.Lock()
		changed := p.changed
		p.mu.Unlock()
		pods := p.List(nil)
		if holds(pods) {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("wait until %s: %w; there are %s", what, context.Cause(ctx), Summary(pods))
		}
	}
}

// Summary counts pods by what became of them.
func Summary(pods []*corev1.Pod) string {
	unbound, bound, running, ended := 0, 0, 0, 0
	for _, pod := range pods {
		switch {
		case Ended(pod):
			ended++
		case pod.Status.Phase == corev1.PodRunning:
			running++
		case pod.Spec.NodeName != "":
			bound++
		default:
			unbound++
		}
	}
	return fmt.Sprintf("%d pods: %d not bound, %d bound, %d running, %d ended", len(pods), unbound, bound, running, ended)
}

// Ended reports whether a pod is at its end.
func Ended(pod *corev1.Pod) bool {
	return pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
}

// Bound reports whether a pod has a node.
func Bound(pod *corev1.Pod) bool { return pod.Spec.NodeName != "" }

// Count counts the pods that match.
func Count(pods []*corev1.Pod, matches func(*corev1.Pod) bool) int {
	n := 0
	for _, pod := range pods {
		if matches(pod) {
			n++
		}
	}
	return n
}
