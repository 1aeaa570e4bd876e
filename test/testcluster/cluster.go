package testcluster

import (
	"cmp"
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/dynamic"

	"muster.sh/muster/benchmarks/audit"
	"muster.sh/muster/internal/localcluster"
)

// Schedulers that can be put on trial, by the name that pods call them.
const (
	Muster           = "muster"
	DefaultScheduler = "default-scheduler"
)

// MusterComponent is the name of Muster's scheduler as a component of the cluster,
// and of its lease.
const MusterComponent = "muster-scheduler"

const (
	// storyTimeout bounds a story; on a busy machine with two cores most take a
	// tenth of it.
	storyTimeout = 10 * time.Minute
	// closing is the time that is left to a story that is cut short by the
	// test's own deadline, for telling what had happened.
	closing = 20 * time.Second
)

// Spec says on what a story is played.
type Spec struct {
	Scheduler string        // Muster or DefaultScheduler; empty: none, the story binds
	Config    string        // of Muster, what follows apiVersion and kind
	Replicas  int           // of the scheduler; zero means one
	Nodes     int           // simulated ones; a story may play others
	Shape     string        // of each node, as "cpu=4,memory=16Gi"
	Manifest  []byte        // what the story needs beside Muster's objects
	Timeout   time.Duration // of the story; zero means ten minutes
	// Operators runs muster-operators.
	Operators bool
	// OperatorsConfig is the content of its configuration file; empty: none.
	OperatorsConfig string
	// Programs run beside the scheduler.
	Programs []localcluster.ProgramSpec
	// FeatureGates and RuntimeConfig are of Kubernetes itself.
	FeatureGates  map[string]bool
	RuntimeConfig map[string]string
}

// Cluster is a running cluster with one scheduler on trial.
type Cluster struct {
	*localcluster.Cluster

	Scheduler string // what pods put into spec.schedulerName
	Dynamic   dynamic.Interface
	Pods      *Pods

	// ExecutorShape is what each executor asks for. If nil, it is taken from the
	// first executor of each application.
	ExecutorShape corev1.ResourceList
	// Gangs finds the gangs of a story that are neither of Volcano's PodGroups nor
	// of Spark. If nil, there are none.
	Gangs func(*audit.Timeline) []audit.Gang

	excused []audit.Span
	// serverOutages are the excused times in which the API server was killed.
	serverOutages []audit.Span
}

// Start starts a cluster that ends with the test. It skips the test with -short,
// and keeps the logs of a failed one with go test -artifacts. The context ends
// with the test, or when the story takes too long.
func Start(t *testing.T, spec Spec) (context.Context, *Cluster) {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a whole cluster: not with -short")
	}
	ctx := Within(t, cmp.Or(spec.Timeout, storyTimeout))
	var shape localcluster.Shape
	if spec.Nodes > 0 {
		var err error
		if shape, err = localcluster.ParseShape(spec.Shape); err != nil {
			t.Fatal(err)
		}
	}
	local := localcluster.Spec{
		SimNodes: spec.Nodes, SimNodeShape: shape, Schedulers: schedulers(spec), Programs: spec.Programs,
		FeatureGates: spec.FeatureGates, RuntimeConfig: spec.RuntimeConfig,
	}
	if spec.Operators {
		local.Operators = &localcluster.OperatorsSpec{Config: spec.OperatorsConfig}
	}
	return ctx, start(ctx, t, local, spec.Scheduler, spec.Manifest)
}

// Within returns a context that ends with the test, after the given time, or a
// little before the test's own deadline.
func Within(t *testing.T, limit time.Duration) context.Context {
	end := time.Now().Add(limit)
	if deadline, set := t.Deadline(); set && deadline.Add(-closing).Before(end) {
		end = deadline.Add(-closing)
	}
	ctx, cancel := context.WithDeadline(t.Context(), end)
	t.Cleanup(cancel)
	return ctx
}

// start starts a cluster with Muster's own objects and more, a manifest.
func start(ctx context.Context, t *testing.T, spec localcluster.Spec, scheduler string, more []byte) *Cluster {
	t.Helper()
	manifests := t.TempDir()
	if err := writeManifests(manifests); err != nil {
		t.Fatal(err)
	}
	if err := writeFile(manifests, "more.yaml", more); err != nil {
		t.Fatal(err)
	}
	spec.KubernetesVersion = KubernetesVersion()
	spec.AuditLog, spec.Manifests, spec.Progress = true, []string{manifests}, t.Output()
	local, err := localcluster.Up(ctx, spec)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := local.Close(); err != nil {
			t.Error(err)
		}
	})
	c := &Cluster{Cluster: local, Scheduler: scheduler}
	t.Cleanup(func() {
		if t.Failed() {
			c.keepLogs(t)
		}
	})
	if err := CheckKubernetes(local.Client().Discovery()); err != nil {
		t.Fatal(err)
	}
	if c.Dynamic, err = dynamic.NewForConfig(local.RESTConfig()); err != nil {
		t.Fatal(err)
	}
	if c.Pods, err = watchPods(ctx, local.Client()); err != nil {
		t.Fatal(err)
	}
	return c
}

func schedulers(spec Spec) []localcluster.SchedulerSpec {
	var scheduler localcluster.SchedulerSpec
	switch spec.Scheduler {
	case "":
		return []localcluster.SchedulerSpec{}
	case Muster:
		scheduler = localcluster.MusterScheduler()
		if spec.Config != "" {
			scheduler.Config = configuration(spec.Config)
		}
	default:
		scheduler = localcluster.DefaultScheduler()
	}
	scheduler.Replicas = spec.Replicas
	return []localcluster.SchedulerSpec{scheduler}
}

// configuration completes one of Muster's scheduler.
func configuration(config string) string {
	return "apiVersion: config.muster.sh/v1alpha1\nkind: SchedulerConfiguration\n" + config
}

// keepLogs copies the cluster's logs to where the test's artifacts are kept.
func (c *Cluster) keepLogs(t *testing.T) {
	t.Helper()
	files := append([]string{c.AuditLogPath()}, c.GuestLogs()...)
	for _, component := range c.Components() {
		files = append(files, c.LogPath(component))
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err == nil {
			err = os.WriteFile(filepath.Join(t.ArtifactDir(), filepath.Base(file)), data, 0o600)
		}
		if err != nil {
			t.Errorf("keep logs: %v", err)
		}
	}
}
