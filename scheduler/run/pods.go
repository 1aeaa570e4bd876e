package run

import (
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	coreinformers "k8s.io/client-go/informers/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"

	"muster.sh/muster/scheduler/source"
)

// newInformers makes kube-scheduler's informers, and beside them that of all pods.
//
// kube-scheduler's own informer of pods leaves out those that have ended, whose
// ends the source must see. Two informers would be two watches of every pod: twice
// as much to send for the API server, and to read here. So there is one, of which
// kube-scheduler is shown what it expects.
func newInformers(client kubernetes.Interface) (informers.SharedInformerFactory, cache.SharedIndexInformer) {
	factory := informers.NewSharedInformerFactory(client, 0)
	all := coreinformers.NewPodInformer(client, metav1.NamespaceAll, 0, cache.Indexers{})
	_ = all.SetTransform(source.TrimPod) // fails only once it has been started
	factory.InformerFor(&v1.Pod{}, func(kubernetes.Interface, time.Duration) cache.SharedIndexInformer {
		return unendedPods{all}
	})
	return factory, all
}

// unendedPods shows of an informer of all pods those that have not ended. The end
// of one looks like its deletion.
type unendedPods struct{ cache.SharedIndexInformer }

func unended(object any) bool {
	if last, ok := object.(cache.DeletedFinalStateUnknown); ok {
		object = last.Obj
	}
	pod, ok := object.(*v1.Pod)
	return ok && !source.HasEnded(pod)
}

func filtered(handler cache.ResourceEventHandler) cache.ResourceEventHandler {
	return cache.FilteringResourceEventHandler{FilterFunc: unended, Handler: handler}
}

// AddEventHandler adds a handler that is told of pods that have not ended.
func (i unendedPods) AddEventHandler(handler cache.ResourceEventHandler) (cache.ResourceEventHandlerRegistration, error) {
	return i.SharedIndexInformer.AddEventHandler(filtered(handler))
}

// AddEventHandlerWithResyncPeriod does the same.
func (i unendedPods) AddEventHandlerWithResyncPeriod(handler cache.ResourceEventHandler, period time.Duration) (cache.ResourceEventHandlerRegistration, error) {
	return i.SharedIndexInformer.AddEventHandlerWithResyncPeriod(filtered(handler), period)
}

// AddEventHandlerWithOptions does the same.
func (i unendedPods) AddEventHandlerWithOptions(handler cache.ResourceEventHandler, options cache.HandlerOptions) (cache.ResourceEventHandlerRegistration, error) {
	return i.SharedIndexInformer.AddEventHandlerWithOptions(filtered(handler), options)
}

// GetStore returns the pods that have not ended.
func (i unendedPods) GetStore() cache.Store { return i.GetIndexer() }

// GetIndexer returns the pods that have not ended.
func (i unendedPods) GetIndexer() cache.Indexer {
	return unendedIndexer{i.SharedIndexInformer.GetIndexer()}
}

// unendedIndexer shows what listers read.
type unendedIndexer struct{ cache.Indexer }

// List lists the pods that have not ended.
func (i unendedIndexer) List() []any { return onlyUnended(i.Indexer.List()) }

// Index lists those of them that have an index value in common with an object.
func (i unendedIndexer) Index(name string, object any) ([]any, error) {
	found, err := i.Indexer.Index(name, object)
	return onlyUnended(found), err
}

// ByIndex lists those of them that have an index value.
func (i unendedIndexer) ByIndex(name, value string) ([]any, error) {
	found, err := i.Indexer.ByIndex(name, value)
	return onlyUnended(found), err
}

// Get finds a pod by its object.
func (i unendedIndexer) Get(object any) (any, bool, error) { return ifUnended(i.Indexer.Get(object)) }

// GetByKey finds a pod by its namespace and name.
func (i unendedIndexer) GetByKey(key string) (any, bool, error) {
	return ifUnended(i.Indexer.GetByKey(key))
}

func onlyUnended(objects []any) []any {
	var out []any
	for _, object := range objects {
		if unended(object) {
			out = append(out, object)
		}
	}
	return out
}

func ifUnended(object any, found bool, err error) (any, bool, error) {
	if found && !unended(object) {
		return nil, false, err
	}
	return object, found, err
}
