package testcluster

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"
	schedulingv1beta1 "volcano.sh/apis/pkg/apis/scheduling/v1beta1"

	"muster.sh/muster/internal/localcluster"
)

// Namespace is where stories are played.
const Namespace = metav1.NamespaceDefault

// Pod is a pod for the scheduler on trial that asks for so many CPUs. It runs for
// the given time, or for ever if that is zero.
func (c *Cluster) Pod(name string, cpus int, runs time.Duration) *corev1.Pod {
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: Namespace, Name: name, Annotations: map[string]string{}},
		Spec: corev1.PodSpec{
			SchedulerName: c.Scheduler,
			Containers: []corev1.Container{{
				Name: "main", Image: "simulated",
				Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{
					corev1.ResourceCPU: *resource.NewQuantity(int64(cpus), resource.DecimalSI),
				}},
			}},
		},
	}
	if runs > 0 {
		pod.Annotations[localcluster.DurationAnnotation] = runs.String()
	}
	return pod
}

// CreatePod creates a pod.
func (c *Cluster) CreatePod(ctx context.Context, pod *corev1.Pod) error {
	if _, err := c.Client().CoreV1().Pods(pod.Namespace).Create(ctx, pod, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("create pod %s: %w", pod.Name, err)
	}
	return nil
}

// PodGroup is a gang of equal pods under a Volcano PodGroup that needs all of
// them.
type PodGroup struct {
	Name    string
	Members int
	CPUs    int           // of each member
	Runs    time.Duration // each member, once it runs
	Queue   string        // that is charged
	Change  func(*corev1.Pod)
	// Ask changes what the group asks for.
	Ask func(*schedulingv1beta1.PodGroupSpec)
	// Annotations of the group itself.
	Annotations map[string]string
}

// CreatePodGroups creates the groups, then the first member of each, then the
// second of each, as if many users created theirs at the same time.
func (c *Cluster) CreatePodGroups(ctx context.Context, groups ...PodGroup) error {
	for _, g := range groups {
		if err := c.CreatePodGroup(ctx, g); err != nil {
			return err
		}
	}
	return c.CreateMembers(ctx, groups...)
}

// CreateMembers creates the pods of PodGroups that exist.
func (c *Cluster) CreateMembers(ctx context.Context, groups ...PodGroup) error {
	most := 0
	for _, g := range groups {
		most = max(most, g.Members)
	}
	for i := range most {
		for _, g := range groups {
			if i >= g.Members {
				continue
			}
			pod := c.Pod(fmt.Sprintf("%s-%d", g.Name, i), g.CPUs, g.Runs)
			pod.Annotations[schedulingv1beta1.KubeGroupNameAnnotationKey] = g.Name
			if g.Change != nil {
				g.Change(pod)
			}
			if err := c.CreatePod(ctx, pod); err != nil {
				return err
			}
		}
	}
	return nil
}

// PodGroups is what PodGroups are called in URLs.
var PodGroups = schedulingv1beta1.SchemeGroupVersion.WithResource("podgroups")

// CreatePodGroup creates a PodGroup without its pods.
func (c *Cluster) CreatePodGroup(ctx context.Context, g PodGroup) error {
	group := &schedulingv1beta1.PodGroup{
		TypeMeta:   metav1.TypeMeta{APIVersion: schedulingv1beta1.SchemeGroupVersion.String(), Kind: "PodGroup"},
		ObjectMeta: metav1.ObjectMeta{Namespace: Namespace, Name: g.Name, Annotations: g.Annotations},
		Spec:       schedulingv1beta1.PodGroupSpec{MinMember: int32(g.Members), Queue: g.Queue},
	}
	if g.Ask != nil {
		g.Ask(&group.Spec)
	}
	object, err := runtime.DefaultUnstructuredConverter.ToUnstructured(group)
	if err != nil {
		return fmt.Errorf("encode PodGroup %s: %w", g.Name, err)
	}
	groups := c.Dynamic.Resource(PodGroups).Namespace(Namespace)
	if _, err := groups.Create(ctx, &unstructured.Unstructured{Object: object}, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("create PodGroup %s: %w", g.Name, err)
	}
	return nil
}

// AwaitPhase waits until a PodGroup has a phase, as its owner may do.
func (c *Cluster) AwaitPhase(ctx context.Context, group string, phase schedulingv1beta1.PodGroupPhase) error {
	return c.Await(ctx, PodGroups, group, "it has phase "+string(phase), func(u *unstructured.Unstructured) bool {
		now, _, _ := unstructured.NestedString(u.Object, "status", "phase")
		return now == string(phase)
	})
}

// Await waits until something holds for an object of the stories' namespace.
func (c *Cluster) Await(ctx context.Context, kind schema.GroupVersionResource, name, what string, holds func(*unstructured.Unstructured) bool) error {
	return await(ctx, listWatch(c.Dynamic.Resource(kind).Namespace(Namespace), "metadata.name="+name), kind, name, what, holds)
}

// AwaitGlobal waits until something holds for an object that is in no namespace.
func (c *Cluster) AwaitGlobal(ctx context.Context, kind schema.GroupVersionResource, name, what string, holds func(*unstructured.Unstructured) bool) error {
	return await(ctx, listWatch(c.Dynamic.Resource(kind), "metadata.name="+name), kind, name, what, holds)
}

func await(ctx context.Context, list *cache.ListWatch, kind schema.GroupVersionResource, name, what string, holds func(*unstructured.Unstructured) bool) error {
	var status any
	_, err := watchtools.UntilWithSync(ctx, list, &unstructured.Unstructured{}, nil, func(e watch.Event) (bool, error) {
		u, ok := e.Object.(*unstructured.Unstructured)
		if !ok {
			return false, nil
		}
		status = u.Object["status"]
		return holds(u), nil
	})
	if err != nil {
		return fmt.Errorf("wait for %s %s until %s; its status is %v: %w", kind.Resource, name, what, status, err)
	}
	return nil
}

// AwaitAll waits until something holds for the objects of a kind; it is asked again
// with every change of any of them.
func (c *Cluster) AwaitAll(ctx context.Context, kind schema.GroupVersionResource, what string, holds func([]unstructured.Unstructured) bool) error {
	check := func() (bool, error) {
		all, err := c.Dynamic.Resource(kind).Namespace(Namespace).List(ctx, metav1.ListOptions{})
		if err != nil {
			return false, err
		}
		return holds(all.Items), nil
	}
	_, err := watchtools.UntilWithSync(ctx, listWatch(c.Dynamic.Resource(kind).Namespace(Namespace), ""), &unstructured.Unstructured{},
		func(cache.Store) (bool, error) { return check() },
		func(watch.Event) (bool, error) { return check() })
	if err != nil {
		return fmt.Errorf("wait for %s until %s: %w", kind.Resource, what, err)
	}
	return nil
}

func listWatch(objects dynamic.ResourceInterface, fields string) *cache.ListWatch {
	return &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			o.FieldSelector = fields
			return objects.List(ctx, o)
		},
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			o.FieldSelector = fields
			return objects.Watch(ctx, o)
		},
	}
}

// MemberOf reports whether a pod belongs to a PodGroup.
func MemberOf(pod *corev1.Pod, group string) bool {
	return pod.Annotations[schedulingv1beta1.KubeGroupNameAnnotationKey] == group
}
