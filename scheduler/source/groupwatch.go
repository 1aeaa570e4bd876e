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

	"muster.sh/muster/scheduler/gang"
)

var crdResource = apiextensions.SchemeGroupVersion.WithResource("customresourcedefinitions")

// groupAPI is an API of PodGroups that a CustomResourceDefinition brings.
type groupAPI struct {
	kind     string // of the gangs
	resource schema.GroupVersionResource
	// declare sets what the spec of a PodGroup says of its gang.
	declare func(*unstructured.Unstructured, *gang.Gang) error
}

// definition is the name of the CustomResourceDefinition.
func (a *groupAPI) definition() string { return a.resource.GroupResource().String() }

func (a *groupAPI) declaration(u *unstructured.Unstructured) declaration {
	d := declaration{gang: groupOf(a.kind, a.resource.GroupVersion(), u)}
	d.broken = a.declare(u, &d.gang)
	return d
}

// groupWatch watches the PodGroups of an API while the cluster serves them. That
// may begin and end at any time: their CustomResourceDefinition tells, which is
// why it is watched and nothing needs to be asked again and again.
type groupWatch struct {
	groupAPI
	source *Source

	mu sync.Mutex
	// stop ends the running watch, and synced tells when it has replayed what
	// exists; both are nil while the PodGroups are not served.
	stop   context.CancelFunc
	synced cache.DoneChecker
}

// start begins to watch the definition.
func (w *groupWatch) start() (cache.DoneChecker, error) {
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

// wait returns when the PodGroups that exist have been taken in, if they are
// served at all. It reports false if the context ended before.
func (w *groupWatch) wait(ctx context.Context) bool {
	w.mu.Lock()
	synced := w.synced
	w.mu.Unlock()
	return synced == nil || cache.WaitFor(ctx, w.definition(), synced)
}

func (w *groupWatch) informer(of schema.GroupVersionResource, tweak func(*metav1.ListOptions)) cache.SharedIndexInformer {
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

// defined takes in whether the PodGroups are served.
func (w *groupWatch) defined(u *unstructured.Unstructured, served bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if u.GetName() != w.definition() || served == (w.stop != nil) {
		return
	}
	log := klog.FromContext(w.source.ctx)
	if !served {
		log.Info("PodGroups are not served any more", "resource", w.resource)
		w.stop()
		w.stop, w.synced = nil, nil
		w.source.step(func(c *collector) { c.removeGroups(w.kind) })
		return
	}
	log.Info("PodGroups are served", "resource", w.resource)
	if err := w.begin(); err != nil {
		log.Error(err, "PodGroups can't be watched", "resource", w.resource)
	}
}

func (w *groupWatch) begin() error {
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
		func(u *unstructured.Unstructured) { step(func(c *collector) { c.setGroup(w.declaration(u)) }) },
		func(u *unstructured.Unstructured) {
			step(func(c *collector) { c.removeGroup(gang.NewID(w.kind, u.GetNamespace(), u.GetName())) })
		},
	))
	if err != nil {
		stop()
		return fmt.Errorf("watch %s: %w", w.definition(), err)
	}
	w.stop, w.synced = stop, reg.HasSyncedChecker()
	w.source.routines.Go(func() { informer.RunWithContext(ctx) })
	return nil
}
