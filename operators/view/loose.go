package view

import (
	"context"
	"fmt"
	"reflect"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/cache"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
)

// Loose is a kind whose definition lets objects be stored that don't fit its type. The
// usual view fails to read all objects of a kind because of one; this one has each be
// read by itself.
type Loose struct {
	Kind client.Object
	// Read makes an object of that type, whatever it is given.
	Read func(*unstructured.Unstructured) client.Object
}

// looseKind is where the objects of a loose kind are, and how they are read.
type looseKind struct {
	objects dynamic.ResourceInterface
	read    func(*unstructured.Unstructured) client.Object
}

type looseKinds map[reflect.Type]looseKind

// findLoose finds kinds in the cluster, and leaves those out that it doesn't have.
func findLoose(mgr ctrl.Manager, loose []Loose) (looseKinds, error) {
	objects, err := dynamic.NewForConfig(mgr.GetConfig())
	if err != nil {
		return nil, err
	}
	kinds := looseKinds{}
	for _, l := range loose {
		kind, err := apiutil.GVKForObject(l.Kind, mgr.GetScheme())
		if err != nil {
			return nil, err
		}
		mapping, err := mgr.GetRESTMapper().RESTMapping(kind.GroupKind(), kind.Version)
		switch {
		case meta.IsNoMatchError(err):
			continue
		case err != nil:
			return nil, fmt.Errorf("find %s: %w", kind.Kind, err)
		}
		kinds[reflect.TypeOf(l.Kind)] = looseKind{objects: objects.Resource(mapping.Resource), read: l.Read}
	}
	return kinds, nil
}

// informer informs of the objects of a kind, in the place of the usual informer.
func (kinds looseKinds) informer(usual cache.ListerWatcher, of runtime.Object, resync time.Duration, indexers cache.Indexers) cache.SharedIndexInformer {
	if kind, loose := kinds[reflect.TypeOf(of)]; loose {
		usual = &cache.ListWatch{ListWithContextFunc: kind.list, WatchFuncWithContext: kind.watch}
	}
	return cache.NewSharedIndexInformer(usual, of, resync, indexers)
}

func (k looseKind) list(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
	stored, err := k.objects.List(ctx, options)
	if err != nil {
		return nil, err
	}
	list := &metav1.List{ListMeta: metav1.ListMeta{
		ResourceVersion: stored.GetResourceVersion(), Continue: stored.GetContinue(), RemainingItemCount: stored.GetRemainingItemCount(),
	}}
	for i := range stored.Items {
		list.Items = append(list.Items, runtime.RawExtension{Object: k.read(&stored.Items[i])})
	}
	return list, nil
}

func (k looseKind) watch(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
	events, err := k.objects.Watch(ctx, options)
	if err != nil {
		return nil, err
	}
	return watch.Filter(events, func(event watch.Event) (watch.Event, bool) {
		if stored, ok := event.Object.(*unstructured.Unstructured); ok {
			event.Object = k.read(stored)
		}
		return event, true
	}), nil
}
