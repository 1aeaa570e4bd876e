package contender

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	schedulingv1beta1 "k8s.io/api/scheduling/v1beta1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"muster.sh/muster/internal/localcluster"
)

// kubeScheduler is the user as whom localcluster runs a scheduler.
const kubeScheduler = "system:kube-scheduler"

// plain is kube-scheduler as Kubernetes ships it. It knows no gangs.
func plain() Contender {
	spec := localcluster.DefaultScheduler()
	return Contender{
		Name: "kube-scheduler", About: "kube-scheduler 1.37 with default settings; plain pods only",
		Components: []string{spec.Name}, Users: []string{kubeScheduler}, SchedulerName: corev1.DefaultSchedulerName, PlainOnly: true, Spark: true,
		Setup: func(_ context.Context, cluster *localcluster.Spec, _ string) error {
			cluster.Schedulers = append(cluster.Schedulers, spec)
			return nil
		},
	}
}

// native is kube-scheduler with its own gang scheduling, which needs one feature
// gate and the API that comes with it.
func native() Contender {
	spec := localcluster.DefaultScheduler()
	return Contender{
		Name: "kube-scheduler-gang", About: "kube-scheduler 1.37 with its own gang scheduling (feature gate GenericWorkload)",
		Components: []string{spec.Name}, Users: []string{kubeScheduler}, SchedulerName: corev1.DefaultSchedulerName,
		Setup: func(_ context.Context, cluster *localcluster.Spec, _ string) error {
			cluster.Schedulers = append(cluster.Schedulers, spec)
			cluster.FeatureGates = map[string]bool{"GenericWorkload": true}
			cluster.RuntimeConfig = map[string]string{schedulingv1beta1.SchemeGroupVersion.String(): "true"}
			return nil
		},
		Groups: schedulingv1beta1.SchemeGroupVersion.WithResource("podgroups"),
		Declare: func(g Gang) *unstructured.Unstructured {
			spec := map[string]any{"schedulingPolicy": map[string]any{"gang": map[string]any{"minCount": int64(g.Size)}}}
			if g.Priority != "" {
				// Who gives way does so as a whole.
				spec["priorityClassName"], spec["disruptionMode"] = g.Priority, map[string]any{"all": map[string]any{}}
			}
			u := &unstructured.Unstructured{Object: map[string]any{"spec": spec}}
			u.SetGroupVersionKind(schedulingv1beta1.SchemeGroupVersion.WithKind("PodGroup"))
			u.SetNamespace(g.Namespace)
			u.SetName(g.Name)
			return u
		},
		Join: func(p *corev1.Pod, g Gang) {
			p.Spec.SchedulingGroup = &corev1.PodSchedulingGroup{PodGroupName: &g.Name}
		},
	}
}
