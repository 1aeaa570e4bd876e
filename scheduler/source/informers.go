package source

import (
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/informers"
	coreinformers "k8s.io/client-go/informers/core/v1"
	"k8s.io/client-go/tools/cache"
)

// sharedInformers are kube-scheduler's: nodes, and the pods of others.
//
// kube-scheduler's informer of pods leaves out pods that have ended: it shows
// their end as a deletion, with the object as it was before. That is enough
// for pods of which only the room matters, and not for members.
func (s *Source) sharedInformers() []watched {
	inf := s.cfg.Informers.Core().V1()
	return []watched{
		{informer: inf.Nodes().Informer(), handler: handle(
			func(n *v1.Node) { s.step(func(c *collector) { c.setNode(n) }) },
			func(n *v1.Node) { s.step(func(c *collector) { c.removeNode(n.Name) }) },
		)},
		{informer: inf.Pods().Informer(), handler: s.podHandler(false)},
	}
}

// ownInformers watch what kube-scheduler does not: our pods to their end, and
// the few objects that change the size of pods that are still to be created.
func (s *Source) ownInformers() []watched {
	pods := coreinformers.NewFilteredPodInformer(s.cfg.Client, metav1.NamespaceAll, 0, cache.Indexers{}, func(o *metav1.ListOptions) {
		o.FieldSelector = fields.OneTermEqualSelector("spec.schedulerName", s.cfg.SchedulerName).String()
	})
	must(pods.SetTransform(trimPod))

	small := informers.NewSharedInformerFactoryWithOptions(s.cfg.Client, 0, informers.WithTransform(trimMeta))
	limits, classes := small.Core().V1().LimitRanges(), small.Node().V1().RuntimeClasses()
	s.limits, s.classes = limits.Lister(), classes.Lister()
	return []watched{
		{informer: pods, handler: s.podHandler(true), ours: true},
		{informer: limits.Informer(), handler: cache.ResourceEventHandlerFuncs{}, ours: true},
		{informer: classes.Informer(), handler: cache.ResourceEventHandlerFuncs{}, ours: true},
	}
}

// podHandler takes in pods of ours, or those of others. Each pod comes from
// one informer only, so its events keep their order; a pod never changes its
// scheduler.
func (s *Source) podHandler(ours bool) cache.ResourceEventHandler {
	return cache.FilteringResourceEventHandler{
		FilterFunc: func(obj any) bool {
			if last, ok := obj.(cache.DeletedFinalStateUnknown); ok {
				obj = last.Obj
			}
			p, ok := obj.(*v1.Pod)
			return ok && (p.Spec.SchedulerName == s.cfg.SchedulerName) == ours
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

// trimPod drops what the scheduler does not look at: most of a pod is for the
// kubelet. Of a pod that has ended only its metadata and its end are kept.
func trimPod(obj any) (any, error) {
	p, ok := obj.(*v1.Pod)
	if !ok {
		return obj, nil
	}
	if _, err := trimMeta(p); err != nil {
		return nil, err
	}
	status := v1.PodStatus{Phase: p.Status.Phase, Conditions: p.Status.Conditions}
	if terminal(p) {
		p.Spec = v1.PodSpec{SchedulerName: p.Spec.SchedulerName, NodeName: p.Spec.NodeName}
		p.Status = status
		return p, nil
	}
	trimContainers(p.Spec.Containers)
	trimContainers(p.Spec.InitContainers)
	p.Spec.EphemeralContainers = nil
	status.Resources, status.AllocatedResources = p.Status.Resources, p.Status.AllocatedResources
	status.ContainerStatuses = trimStatuses(p.Status.ContainerStatuses)
	status.InitContainerStatuses = trimStatuses(p.Status.InitContainerStatuses)
	p.Status = status
	return p, nil
}

func trimContainers(containers []v1.Container) {
	for i, c := range containers {
		containers[i] = v1.Container{Name: c.Name, Ports: c.Ports, Resources: c.Resources, RestartPolicy: c.RestartPolicy}
	}
}

// trimStatuses keeps what tells how a pod is being resized.
func trimStatuses(in []v1.ContainerStatus) []v1.ContainerStatus {
	var out []v1.ContainerStatus
	for _, s := range in {
		if s.AllocatedResources != nil || s.Resources != nil {
			out = append(out, v1.ContainerStatus{Name: s.Name, AllocatedResources: s.AllocatedResources, Resources: s.Resources})
		}
	}
	return out
}
