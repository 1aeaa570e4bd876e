package source

import (
	"fmt"
	"slices"

	v1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	schedulingv1beta1 "k8s.io/api/scheduling/v1beta1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/tools/cache"

	"muster.sh/muster/scheduler/gang"
)

// sharedInformers are those that kube-scheduler has too: of nodes, of pods, and, as its
// plugins are chosen, of namespaces and disruption budgets.
func (s *Source) sharedInformers() []watched {
	shared := []watched{
		{informer: s.cfg.Informers.Core().V1().Nodes().Informer(), handler: handle(
			func(n *v1.Node) { s.step(func(c *collector) { c.setNode(n) }) },
			func(n *v1.Node) { s.step(func(c *collector) { c.removeNode(n.Name) }) },
		)},
		{informer: s.cfg.Pods, handler: s.podHandler()},
		{informer: s.cfg.Informers.Core().V1().Namespaces().Informer(), handler: handle(
			func(n *v1.Namespace) { s.step(func(c *collector) { c.setNamespace(n.Name, queueNamed(n)) }) },
			func(n *v1.Namespace) { s.step(func(c *collector) { c.setNamespace(n.Name, "") }) },
		)},
	}
	if s.cfg.Budgets {
		shared = append(shared, watched{informer: s.cfg.Informers.Policy().V1().PodDisruptionBudgets().Informer(), handler: handle(
			func(b *policyv1.PodDisruptionBudget) { s.step(func(c *collector) { c.setBudget(b) }) },
			func(b *policyv1.PodDisruptionBudget) {
				s.step(func(c *collector) { c.removeBudget(b.Namespace, b.Name) })
			},
		)})
	}
	return shared
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

// kubernetesGroups watches Kubernetes' own PodGroups, if the API server serves
// them. It is asked once, for only a restart of the API server changes it.
func (s *Source) kubernetesGroups() ([]watched, error) {
	served, err := servesPodGroups(s.cfg.Client.Discovery())
	if err != nil || !served {
		return nil, err
	}
	factory := informers.NewSharedInformerFactoryWithOptions(s.cfg.Client, 0, informers.WithTransform(trimMeta))
	return []watched{{
		informer: factory.Scheduling().V1beta1().PodGroups().Informer(),
		handler: handle(
			func(pg *schedulingv1beta1.PodGroup) { s.step(func(c *collector) { c.setGroup(kubernetesGroup(pg)) }) },
			func(pg *schedulingv1beta1.PodGroup) {
				s.step(func(c *collector) { c.removeGroup(gang.NewID(KindKubernetes, pg.Namespace, pg.Name)) })
			},
		),
		ours: true,
	}}, nil
}

func servesPodGroups(server discovery.DiscoveryInterface) (bool, error) {
	list, err := server.ServerResourcesForGroupVersion(schedulingv1beta1.SchemeGroupVersion.String())
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("ask the API server whether it serves PodGroups: %w", err)
	}
	return slices.ContainsFunc(list.APIResources, func(r metav1.APIResource) bool { return r.Name == "podgroups" }), nil
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

// TrimPod drops what no scheduler looks at. Of a pod that has ended only its metadata,
// its PodGroup and its end are kept.
func TrimPod(obj any) (any, error) {
	p, ok := obj.(*v1.Pod)
	if !ok {
		return obj, nil
	}
	p.SetManagedFields(nil)
	if HasEnded(p) {
		p.Spec = v1.PodSpec{SchedulerName: p.Spec.SchedulerName, NodeName: p.Spec.NodeName, SchedulingGroup: p.Spec.SchedulingGroup}
		p.Status = v1.PodStatus{Phase: p.Status.Phase, Conditions: p.Status.Conditions}
	}
	return p, nil
}
