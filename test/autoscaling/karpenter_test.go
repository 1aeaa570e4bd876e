package autoscaling

import (
	"bytes"
	_ "embed"
	"os"
	"path/filepath"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"muster.sh/muster/internal/localcluster"
	"muster.sh/muster/internal/localcluster/toolchain"
	"muster.sh/muster/test/testcluster"
)

//go:embed karpenter.yaml
var karpenterObjects []byte

// karpenter is Karpenter itself, with its provider of simulated nodes.
func karpenter(t *testing.T) (localcluster.ProgramSpec, []byte) {
	t.Helper()
	if os.Getenv("MUSTER_TEST_KARPENTER") == "" {
		t.Skip("builds Karpenter, which takes two cores half an hour the first time: only with MUSTER_TEST_KARPENTER=1")
	}
	paths, err := toolchain.Build(t.Context(), nil, toolchain.Karpenter)
	if err != nil {
		t.Fatal(err)
	}
	source, err := toolchain.ModuleDir(t.Context(), toolchain.Karpenter, "sigs.k8s.io/karpenter")
	if err != nil {
		t.Fatal(err)
	}
	documents := [][]byte{karpenterObjects}
	for _, dir := range []string{"pkg/apis/crds", "kwok/apis/crds"} {
		files, err := filepath.Glob(filepath.Join(source, dir, "*.yaml"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no definitions in %s: %v", dir, err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			documents = append(documents, data)
		}
	}
	return localcluster.ProgramSpec{
		Name: "karpenter", User: "karpenter", Binary: paths.Program(toolchain.Karpenter, "kwok"),
		Args:  []string{"--metrics-port=$METRICS", "--health-probe-port=$HEALTH", "--disable-leader-election=true", "--feature-gates=CapacityBuffer=true"},
		Env:   []string{"KUBECONFIG=$KUBECONFIG", "KUBERNETES_MIN_VERSION=1.19.0-0", "SYSTEM_NAMESPACE=kube-system"},
		Ports: []string{"METRICS", "HEALTH"},
	}, bytes.Join(documents, []byte("\n---\n"))
}

func TestKarpenterMakesRoomForGangs(t *testing.T) {
	for name, autoscaling := range map[string]string{
		"by buffers":                    "{request: CapacityBuffer, after: 1s}",
		"by marked pods beside buffers": "{request: CapacityBuffer, markPods: true, after: 1s}",
	} {
		t.Run(name, func(t *testing.T) { karpenterMakesRoom(t, autoscaling) })
	}
}

// karpenterMakesRoom plays a Spark application and a PodGroup that need six CPUs each, in
// a cluster that has one.
func karpenterMakesRoom(t *testing.T, autoscaling string) {
	program, manifest := karpenter(t)
	ctx, c := testcluster.Start(t, testcluster.Spec{
		Scheduler: testcluster.Muster, Nodes: 1, Shape: "cpu=1,memory=2Gi", Manifest: manifest,
		Programs: []localcluster.ProgramSpec{program}, Config: "autoscaling: " + autoscaling + "\n",
	})
	s := story{c, ctx, t}
	c.PlaySpark(ctx, t)
	s.must(c.SubmitSpark(ctx, testcluster.SparkApp{Name: "app", Executors: executors, Works: time.Second}))
	s.must(c.CreatePodGroups(ctx, testcluster.PodGroup{Name: "group", Members: members, CPUs: 2, Runs: time.Second}))
	s.must(c.Pods.Await(ctx, "all have run", func(pods []*corev1.Pod) bool {
		return testcluster.Count(pods, func(p *corev1.Pod) bool { return !testcluster.IsExecutor(p) && testcluster.Ended(p) }) == 1+members
	}))
	nodes, err := c.Client().CoreV1().Nodes().List(ctx, metav1.ListOptions{LabelSelector: "karpenter.sh/nodepool"})
	s.must(err)
	// Twelve CPUs are needed; a node of four has a little less than four for pods.
	t.Logf("Karpenter has made %d nodes", len(nodes.Items))
	if n := len(nodes.Items); n < 4 || n > 6 {
		t.Errorf("that is not what twelve CPUs need")
	}
	c.RequireNoFault(t, executors)
}
