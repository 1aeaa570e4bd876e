package source

import (
	"context"
	"fmt"
	"slices"
	"sync"

	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
)

var crdResource = apiextensions.SchemeGroupVersion.WithResource("customresourcedefinitions")

// customAPI is an API that a CustomResourceDefinition brings, and what is done with
// its objects.
type customAPI struct {
	resource  schema.GroupVersionResource
	set, gone func(*collector, *unstructured.Unstructured)
	// none takes in that it is not served any more.
	none func(*collector)
}

// definition is the name of the CustomResourceDefinition.
func (a customAPI) definition() string { return a.resource.GroupResource().String() }

// customWatch watches the objects of an API while the cluster serves them. That may
// begin and end at any time: their CustomResourceDefinition tells, which is why it
// is watched and nothing needs to be asked again and again.
type customWatch struct {
	customAPI
	source *Source

	mu sync.Mutex
	// stop ends the running watch, and synced tells when it has replayed what
	// exists; both are nil while the API is not served.
	stop   context.CancelFunc
	synced cache.DoneChecker
}

// start begins to watch the definition.
func (w *customWatch) start() (cache.DoneChecker, error) {
	return w.source.watch(watched{
		informer: w.informer(crdResource, func(o *metav1.ListOptions) {
			o.FieldSelector = fields.OneTermEqualSelector(metav1.ObjectNameField, w.definition()).String()
		}),
		handler: handle(
			func(u *unstructured.Unstructured) { w.defined(u, serves(u, w.resource.Version)) },
			func(u *unstructured.Unstructured) { w.defined(u, false) },
		),
		ours: true,
	})
}

// wait returns when the objects that exist have been taken in, if they are
// served at all. It reports false if the context ended before.
func (w *customWatch) wait(ctx context.Context) bool {
	w.mu.Lock()
	synced := w.synced
	w.mu.Unlock()
	return synced == nil || cache.WaitFor(ctx, w.definition(), synced)
}

func (w *customWatch) informer(of schema.GroupVersionResource, tweak func(*metav1.ListOptions)) cache.SharedIndexInformer {
	i := dynamicinformer.NewFilteredDynamicInformer(w.source.cfg.Dynamic, of, metav1.NamespaceAll, 0, cache.Indexers{}, tweak).Informer()
	must(i.SetTransform(trimMeta))
	return i
}

// serves says whether a definition is in effect with a version.
func serves(u *unstructured.Unstructured, version string) bool {
	var crd apiextensions.CustomResourceDefinition
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, &crd); err != nil {
		return false
	}
	established := slices.ContainsFunc(crd.Status.Conditions, func(c apiextensions.CustomResourceDefinitionCondition) bool {
		return c.Type == apiextensions.Established && c.Status == apiextensions.ConditionTrue
	})
	return established && slices.ContainsFunc(crd.Spec.Versions, func(v apiextensions.CustomResourceDefinitionVersion) bool {
		return v.Name == version && v.Served
	})
}

// defined takes in whether the API is served.
func (w *customWatch) defined(u *unstructured.Unstructured, served bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if u.GetName() != w.definition() || served == (w.stop != nil) {
		return
	}
	log := klog.FromContext(w.source.ctx)
	if !served {
		log.Info("An API is not served any more", "resource", w.resource)
		w.stop()
		w.stop, w.synced = nil, nil
		w.source.step(w.none)
		return
	}
	log.Info("An API is served", "resource", w.resource)
	if err := w.begin(); err != nil {
		log.Error(err, "An API can't be watched", "resource", w.resource)
	}
}

func (w *customWatch) begin() error {
	ctx, stop := context.WithCancel(w.source.ctx)
	informer := w.informer(w.resource, nil)
	// A watch that was stopped may still deliver; its objects are gone.
	step := func(change func(*collector)) {
		w.source.step(func(c *collector) {
			if ctx.Err() == nil {
				change(c)
			}
		})
	}
	reg, err := informer.AddEventHandler(handle(
		func(u *unstructured.Unstructured) { step(func(c *collector) { w.set(c, u) }) },
		func(u *unstructured.Unstructured) { step(func(c *collector) { w.gone(c, u) }) },
	))
	if err != nil {
		stop()
		return fmt.Errorf("watch %s: %w", w.definition(), err)
	}
	w.stop, w.synced = stop, reg.HasSyncedChecker()
	w.source.routines.Go(func() { informer.RunWithContext(ctx) })
	return nil
}
