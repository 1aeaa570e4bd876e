package contender

import (
	"context"
	_ "embed"
	"path/filepath"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"muster.sh/muster/internal/localcluster"
	"muster.sh/muster/internal/localcluster/toolchain"
)

//go:embed coscheduling-config.yaml
var coschedulingConfig string

//go:embed coscheduling.yaml
var coschedulingRights []byte

// coschedulingGroups is the plugin's own kind of PodGroup.
var coschedulingGroups = schema.GroupVersionResource{Group: "scheduling.x-k8s.io", Version: "v1alpha1", Resource: "podgroups"}

// coscheduling is the gang plugin of scheduler-plugins, built from its module.
func coscheduling() Contender {
	const name, module = "coscheduling", "sigs.k8s.io/scheduler-plugins"
	return Contender{
		Name: name, About: "kube-scheduler 1.33 with the coscheduling plugin of scheduler-plugins v0.33.5",
		Tool:       toolchain.Coscheduling,
		Components: []string{name}, Users: []string{kubeScheduler}, SchedulerName: corev1.DefaultSchedulerName,
		Setup: func(ctx context.Context, cluster *localcluster.Spec, dir string) error {
			paths, err := toolchain.Build(ctx, nil, toolchain.Coscheduling)
			if err != nil {
				return err
			}
			source, err := toolchain.ModuleDir(ctx, toolchain.Coscheduling, module)
			if err != nil {
				return err
			}
			cluster.Schedulers = append(cluster.Schedulers, localcluster.SchedulerSpec{
				Name: name, Binary: paths.Program(toolchain.Coscheduling, "scheduler"), Config: coschedulingConfig,
			})
			cluster.Manifests = append(cluster.Manifests, filepath.Join(source, "manifests", "coscheduling", "crd.yaml"))
			return writeManifest(cluster, dir, "coscheduling.yaml", coschedulingRights)
		},
		Groups: coschedulingGroups,
		Declare: func(g Gang) *unstructured.Unstructured {
			u := &unstructured.Unstructured{Object: map[string]any{
				"spec": map[string]any{"minMember": int64(g.Size), "scheduleTimeoutSeconds": int64(300)},
			}}
			u.SetGroupVersionKind(coschedulingGroups.GroupVersion().WithKind("PodGroup"))
			u.SetNamespace(g.Namespace)
			u.SetName(g.Name)
			return u
		},
		Join: func(p *corev1.Pod, g Gang) { p.Labels["scheduling.x-k8s.io/pod-group"] = g.Name },
	}
}
