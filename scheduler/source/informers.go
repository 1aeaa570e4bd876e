package source

import (
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/tools/cache"
)

// sharedInformers are those that kube-scheduler has too: of nodes, and of pods.
func (s *Source) sharedInformers() []watched {
	return []watched{
		{informer: s.cfg.Informers.Core().V1().Nodes().Informer(), handler: handle(
			func(n *v1.Node) { s.step(func(c *collector) { c.setNode(n) }) },
			func(n *v1.Node) { s.step(func(c *collector) { c.removeNode(n.Name) }) },
		)},
		{informer: s.cfg.Pods, handler: s.podHandler()},
	}
}

// ownInformers watch what kube-scheduler does not: the few objects that change
// the size of pods that are still to be created.
func (s *Source) ownInformers() []watched {
	small := informers.NewSharedInformerFactoryWithOptions(s.cfg.Client, 0, informers.WithTransform(trimMeta))
	limits, classes := small.Core().V1().LimitRanges(), small.Node().V1().RuntimeClasses()
	s.limits, s.classes = limits.Lister(), classes.Lister()
	return []watched{
		{informer: limits.Informer(), handler: cache.ResourceEventHandlerFuncs{}, ours: true},
		{informer: classes.Informer(), handler: cache.ResourceEventHandlerFuncs{}, ours: true},
	}
}

// podHandler takes in pods of ours to their end, and those of others for as long as
// they take room: their end looks like their deletion.
func (s *Source) podHandler() cache.ResourceEventHandler {
	return cache.FilteringResourceEventHandler{
		FilterFunc: func(obj any) bool {
			if last, ok := obj.(cache.DeletedFinalStateUnknown); ok {
				obj = last.Obj
			}
			p, ok := obj.(*v1.Pod)
			return ok && (p.Spec.SchedulerName == s.cfg.SchedulerName || !HasEnded(p))
		},
		Handler: handle(
			func(p *v1.Pod) { s.step(func(c *collector) { c.setPod(p) }) },
			func(p *v1.Pod) { s.step(func(c *collector) { c.removePod(p) }) },
		),
	}
}

// must is for errors that only a mistake in this package can cause.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

// trimMeta drops what nobody here reads from an object that is to be kept.
func trimMeta(obj any) (any, error) {
	if m, err := meta.Accessor(obj); err == nil {
		m.SetManagedFields(nil)
		annotations := m.GetAnnotations()
		delete(annotations, v1.LastAppliedConfigAnnotation)
		m.SetAnnotations(annotations)
	}
	return obj, nil
}

// TrimPod drops what no scheduler looks at. Of a pod that has ended only its metadata
// and its end are kept.
func TrimPod(obj any) (any, error) {
	p, ok := obj.(*v1.Pod)
	if !ok {
		return obj, nil
	}
	p.SetManagedFields(nil)
	if HasEnded(p) {
		p.Spec = v1.PodSpec{SchedulerName: p.Spec.SchedulerName, NodeName: p.Spec.NodeName}
		p.Status = v1.PodStatus{Phase: p.Status.Phase, Conditions: p.Status.Conditions}
	}
	return p, nil
}
