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
	volcano "volcano.sh/apis/pkg/apis/scheduling/v1beta1"
)

// PodGroupResource is what Volcano's PodGroups are called in URLs.
var PodGroupResource = volcano.SchemeGroupVersion.WithResource("podgroups")

var crdResource = apiextensions.SchemeGroupVersion.WithResource("customresourcedefinitions")

const podGroupCRD = "podgroups." + volcano.GroupName

// podGroupWatch watches PodGroups while the cluster serves them. That may begin
// and end at any time: their CustomResourceDefinition tells, which is why it is
// watched and nothing needs to be asked again and again.
type podGroupWatch struct {
	source *Source

	mu sync.Mutex
	// stop ends the running watch, and synced tells when it has replayed what
	// exists; both are nil while PodGroups are not served.
	stop   context.CancelFunc
	synced cache.DoneChecker
}

func newPodGroupWatch(s *Source) *podGroupWatch { return &podGroupWatch{source: s} }

// start begins to watch the definition.
func (w *podGroupWatch) start() (cache.DoneChecker, error) {
	return w.source.watch(watched{
		informer: w.informer(crdResource, func(o *metav1.ListOptions) {
			o.FieldSelector = fields.OneTermEqualSelector(metav1.ObjectNameField, podGroupCRD).String()
		}),
		handler: handle(
			func(u *unstructured.Unstructured) { w.defined(u, serves(u)) },
			func(u *unstructured.Unstructured) { w.defined(u, false) },
		),
		ours: true,
	})
}

// wait returns when the PodGroups that exist have been taken in, if they are
// served at all. It reports false if the context ended before.
func (w *podGroupWatch) wait(ctx context.Context) bool {
	w.mu.Lock()
	synced := w.synced
	w.mu.Unlock()
	return synced == nil || cache.WaitFor(ctx, "PodGroups", synced)
}

func (w *podGroupWatch) informer(of schema.GroupVersionResource, tweak func(*metav1.ListOptions)) cache.SharedIndexInformer {
	i := dynamicinformer.NewFilteredDynamicInformer(w.source.cfg.Dynamic, of, metav1.NamespaceAll, 0, cache.Indexers{}, tweak).Informer()
	must(i.SetTransform(trimMeta))
	return i
}

// serves says whether a definition is in effect with the version that we read.
func serves(u *unstructured.Unstructured) bool {
	var crd apiextensions.CustomResourceDefinition
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, &crd); err != nil {
		return false
	}
	established := slices.ContainsFunc(crd.Status.Conditions, func(c apiextensions.CustomResourceDefinitionCondition) bool {
		return c.Type == apiextensions.Established && c.Status == apiextensions.ConditionTrue
	})
	return established && slices.ContainsFunc(crd.Spec.Versions, func(v apiextensions.CustomResourceDefinitionVersion) bool {
		return v.Name == volcano.SchemeGroupVersion.Version && v.Served
	})
}

// defined takes in whether PodGroups are served.
func (w *podGroupWatch) defined(u *unstructured.Unstructured, served bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if u.GetName() != podGroupCRD || served == (w.stop != nil) {
		return
	}
	log := klog.FromContext(w.source.ctx)
	if !served {
		log.Info("PodGroups are not served any more")
		w.stop()
		w.stop, w.synced = nil, nil
		w.source.step(func(c *collector) { c.removeAllGroups() })
		return
	}
	log.Info("PodGroups are served", "resource", PodGroupResource)
	if err := w.begin(); err != nil {
		log.Error(err, "PodGroups can't be watched")
	}
}

func (w *podGroupWatch) begin() error {
	ctx, stop := context.WithCancel(w.source.ctx)
	informer := w.informer(PodGroupResource, nil)
	// A watch that was stopped may still deliver; its objects are gone.
	step := func(change func(*collector)) {
		w.source.step(func(c *collector) {
			if ctx.Err() == nil {
				change(c)
			}
		})
	}
	reg, err := informer.AddEventHandler(handle(
		func(u *unstructured.Unstructured) { step(func(c *collector) { c.setGroup(typed(u)) }) },
		func(u *unstructured.Unstructured) { step(func(c *collector) { c.removeGroup(groupOf(u)) }) },
	))
	if err != nil {
		stop()
		return fmt.Errorf("watch PodGroups: %w", err)
	}
	w.stop, w.synced = stop, reg.HasSyncedChecker()
	w.source.routines.Go(func() { informer.RunWithContext(ctx) })
	return nil
}

func groupOf(u *unstructured.Unstructured) *volcano.PodGroup {
	pg, _ := typed(u)
	return pg
}

// typed converts a PodGroup. On an error only its metadata is there.
func typed(u *unstructured.Unstructured) (*volcano.PodGroup, error) {
	pg := &volcano.PodGroup{}
	err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, pg)
	if err != nil {
		pg = &volcano.PodGroup{ObjectMeta: metav1.ObjectMeta{
			Namespace: u.GetNamespace(), Name: u.GetName(), UID: u.GetUID(), CreationTimestamp: u.GetCreationTimestamp(),
		}}
	}
	return pg, err
}
