package contender

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	volcanov1beta1 "volcano.sh/apis/pkg/apis/scheduling/v1beta1"

	"muster.sh/muster/api/v1alpha1"
	"muster.sh/muster/internal/localcluster"
	"muster.sh/muster/internal/volcano"
)

// muster is this repository's scheduler. Gangs are told by Volcano PodGroups.
func muster() Contender {
	spec := localcluster.MusterScheduler()
	return Contender{
		Name: "muster", About: "Muster as it is in this checkout, default settings",
		Components: []string{spec.Name}, Users: []string{spec.User}, SchedulerName: "muster", Spark: true, Loop: true, Runtimes: true,
		Setup: func(_ context.Context, cluster *localcluster.Spec, dir string) error {
			cluster.Schedulers = append(cluster.Schedulers, spec)
			return writeManifest(cluster, dir, "podgroup.yaml", volcano.PodGroupDefinition())
		},
		Groups: volcanoGroups, Declare: declareMuster, Join: joinVolcano,
		Tenants: musterTenants,
	}
}

// declareMuster adds what Volcano's PodGroups have no field for.
func declareMuster(g Gang) *unstructured.Unstructured {
	u := declareVolcano(g)
	if g.Runtime > 0 {
		u.SetAnnotations(map[string]string{v1alpha1.RuntimeAnnotation: g.Runtime.String()})
	}
	return u
}

// musterTenants are queues that deserve equal parts.
func musterTenants(part corev1.ResourceList, names []string) []*unstructured.Unstructured {
	deserved := map[string]any{}
	for name, n := range part {
		deserved[string(name)] = n.String()
	}
	var queues []*unstructured.Unstructured
	for _, name := range names {
		u := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"deserved": deserved}}}
		u.SetGroupVersionKind(volcanov1beta1.SchemeGroupVersion.WithKind("Queue"))
		u.SetName(name)
		queues = append(queues, u)
	}
	return queues
}
