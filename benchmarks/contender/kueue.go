package contender

import (
	"cmp"
	"context"
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"muster.sh/muster/benchmarks/scenario"
	"muster.sh/muster/internal/localcluster"
	"muster.sh/muster/internal/localcluster/pki"
	"muster.sh/muster/internal/localcluster/toolchain"
)

var (
	//go:embed kueue-config.yaml
	kueueConfig string
	//go:embed kueue.yaml
	kueueObjects string
	//go:embed kueue-tenant.yaml
	kueueTenant string
)

// kueue admits gangs as a whole to its queue, and plain kube-scheduler places
// their pods. Its webhooks are not registered: Join writes what they would write,
// which saves Kueue a request for every pod.
func kueue() Contender {
	const name = "kueue"
	scheduler := localcluster.DefaultScheduler()
	return Contender{
		Name: name, About: "Kueue v0.14.0 (groups of plain pods, waitForPodsReady without blockAdmission) with kube-scheduler 1.37",
		Tool:       toolchain.Kueue,
		Components: []string{name, scheduler.Name}, Users: []string{name, kubeScheduler}, SchedulerName: corev1.DefaultSchedulerName,
		Setup: func(ctx context.Context, cluster *localcluster.Spec, dir string) error {
			program, err := kueueProgram(ctx, name, dir)
			if err != nil {
				return err
			}
			cluster.Schedulers = append(cluster.Schedulers, scheduler)
			cluster.Programs = append(cluster.Programs, program)
			if err := kueueDefinitions(ctx, cluster); err != nil {
				return err
			}
			return writeManifest(cluster, dir, "kueue.yaml", []byte(kueueQueue(cluster)))
		},
		Tenants: kueueTenants,
		Join: func(p *corev1.Pod, g Gang) {
			const managed = "kueue.x-k8s.io/managed"
			p.Labels["kueue.x-k8s.io/queue-name"] = cmp.Or(g.Queue, "default")
			p.Labels["kueue.x-k8s.io/pod-group-name"] = g.Name
			p.Labels[managed] = "true"
			p.Annotations = map[string]string{
				"kueue.x-k8s.io/pod-group-total-count": strconv.Itoa(g.Size),
				// Any value that all pods of a kind share.
				"kueue.x-k8s.io/role-hash": "main",
			}
			p.Finalizers = []string{managed}
			p.Spec.SchedulingGates = []corev1.PodSchedulingGate{{Name: "kueue.x-k8s.io/admission"}}
		},
	}
}

// kueueProgram is Kueue's controller. It doesn't start without a certificate for
// its webhooks, and awaits it in a folder, where a kubelet would put it.
func kueueProgram(ctx context.Context, name, dir string) (localcluster.ProgramSpec, error) {
	certificates := filepath.Join(dir, "kueue-certificates")
	authority, err := pki.Open(certificates, "ca")
	if err == nil {
		err = authority.Ensure(pki.Certificate{File: "tls", User: name, Hosts: []string{"localhost"}})
	}
	if err != nil {
		return localcluster.ProgramSpec{}, fmt.Errorf("make a certificate for Kueue: %w", err)
	}
	paths, err := toolchain.Build(ctx, nil, toolchain.Kueue)
	if err != nil {
		return localcluster.ProgramSpec{}, err
	}
	return localcluster.ProgramSpec{
		Name: name, User: name, Binary: paths.Program(toolchain.Kueue, "kueue"),
		Args:   []string{"--config=$CONFIG", "--kubeconfig=$KUBECONFIG"},
		Config: strings.ReplaceAll(kueueConfig, "CERTIFICATES", certificates),
		Ports:  []string{"HEALTH", "WEBHOOK"}, Ready: "http://$HOST:$HEALTH/readyz",
	}, nil
}

// kueueDefinitions adds Kueue's own manifests: its resources, and its rights.
func kueueDefinitions(ctx context.Context, cluster *localcluster.Spec) error {
	source, err := toolchain.ModuleDir(ctx, toolchain.Kueue, "sigs.k8s.io/kueue")
	if err != nil {
		return err
	}
	parts := filepath.Join(source, "config", "components")
	cluster.Manifests = append(cluster.Manifests, filepath.Join(parts, "crd", "bases"), filepath.Join(parts, "rbac", "role.yaml"))
	return nil
}

// kueueQueue is a queue that has all of a cluster.
func kueueQueue(cluster *localcluster.Spec) string {
	total := func(name corev1.ResourceName) string {
		one := cluster.SimNodeShape.Resources[name]
		return resource.NewQuantity(int64(cluster.SimNodes)*one.Value(), one.Format).String()
	}
	return os.Expand(kueueObjects, func(name string) string {
		return map[string]string{
			"CPU": total(corev1.ResourceCPU), "MEMORY": total(corev1.ResourceMemory), "NAMESPACE": scenario.Namespace,
			"GPU": scenario.GPU, "GPUS": total(scenario.GPU), // none, where nodes have none
		}[name]
	})
}

// kueueTenants are queues of one cohort, which may borrow from each other.
func kueueTenants(part corev1.ResourceList, names []string) []*unstructured.Unstructured {
	var queues []*unstructured.Unstructured
	for _, name := range names {
		text := os.Expand(kueueTenant, func(variable string) string {
			return map[string]string{
				"NAME": name, "CPU": part.Cpu().String(), "MEMORY": part.Memory().String(), "NAMESPACE": scenario.Namespace,
			}[variable]
		})
		for document := range strings.SplitSeq(text, "---\n") {
			u := &unstructured.Unstructured{}
			if err := yaml.Unmarshal([]byte(document), &u.Object); err != nil {
				panic(err) // it is our own, with names and numbers in it
			}
			queues = append(queues, u)
		}
	}
	return queues
}
