package spark

import (
	"bytes"
	"context"
	"os"
	"path"
	"path/filepath"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"muster.sh/muster/internal/localcluster/network/osthread"
	"muster.sh/muster/internal/localcluster/toolchain"
	"muster.sh/muster/internal/sparkdist"
	"muster.sh/muster/internal/sparksubmit"
	"muster.sh/muster/test/testcluster"
)

const (
	// namespace is where all stories are played.
	namespace = sparksubmit.Namespace
	// storyTimeout bounds a story; one takes a minute where nothing else runs.
	storyTimeout = 8 * time.Minute
	// folder is where pods see the shared folder of the stage.
	folder = "/var/stories"
)

// stage is the cluster that all stories share.
type stage struct {
	*testcluster.Cluster
	spark     *sparksubmit.Client
	helm      string            // the program
	shared    string            // the folder behind folder
	share     resource.Quantity // of CPU, for each pod
	network   *osthread.Thread
	scheduler *schedulerPages

	minimum map[string]int // of executors, by application
}

func newStage(t *testing.T) *stage {
	t.Helper()
	ctx := t.Context()
	s := &stage{shared: openFolder(t), minimum: map[string]int{}}
	s.Cluster = testcluster.StartReal(ctx, t, testcluster.RealSpec{
		Nodes: 2, SharedFolders: []string{s.shared, testcluster.PythonFolder(t)},
		Manifest:  bytes.Join([][]byte{sparksubmit.Access(), allocatorRights}, []byte("---\n")),
		Operators: true, OperatorsConfig: operatorsConfig,
		SchedulerArgs: []string{"--authorization-always-allow-paths=/metrics,/gangs"},
	})
	// The image is the demo's, so that it is built once for both.
	dist, err := sparkdist.Ensure(ctx, sparkdist.Options{App: os.DirFS(filepath.Join("..", "..", "demo", "app"))}, nil)
	if err != nil {
		t.Fatal(err)
	}
	tools, err := toolchain.Build(ctx, nil, toolchain.Helm)
	if err != nil {
		t.Fatal(err)
	}
	s.helm = tools.Program(toolchain.Helm, "helm")
	if err := s.LoadImage(ctx, dist.ImageTar); err != nil {
		t.Fatal(err)
	}
	if s.spark, err = sparksubmit.Login(ctx, dist, s.Client(), s.RESTConfig(), t.TempDir()); err != nil {
		t.Fatal(err)
	}
	s.share = s.shareOfNode(t)
	s.ExecutorShape = corev1.ResourceList{corev1.ResourceCPU: s.share, corev1.ResourceMemory: resource.MustParse(podMemory)}
	s.network = enterNetwork(t, s.Cluster)
	s.scheduler = newSchedulerPages(t, s.Cluster, s.network)
	return s
}

// openFolder makes a folder with the programs in it, in which any user can work: in
// a pod, Spark has a user of its own.
func openFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"parts.py", "ask.py", "client.py"} {
		program, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), program, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// shareOfNode is how much CPU a pod asks for, so that two fit on each node.
func (s *stage) shareOfNode(t *testing.T) resource.Quantity {
	t.Helper()
	nodes, err := s.Client().CoreV1().Nodes().List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var least int64
	for _, node := range nodes.Items {
		cpu := node.Status.Allocatable[corev1.ResourceCPU]
		if least == 0 || cpu.MilliValue() < least {
			least = cpu.MilliValue()
		}
	}
	return *resource.NewMilliQuantity(least*45/100, resource.DecimalSI)
}

// story is one story while it is played.
type story struct {
	*testing.T
	*stage
	ctx context.Context
}

// play plays one story, and requires that it leaves nothing behind.
func (s *stage) play(t *testing.T, play func(*story)) {
	st := &story{t, s, testcluster.Within(t, storyTimeout)}
	defer st.clear()
	play(st)
}

// must ends the story at an error.
func (s *story) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// clear deletes all pods of a story, and requires that no room stays promised.
func (s *story) clear() {
	s.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), time.Minute)
	defer cancel()
	if s.Failed() {
		s.tellState(ctx)
	}
	now := int64(0)
	pods := s.Client().CoreV1().Pods(namespace)
	err := pods.DeleteCollection(ctx, metav1.DeleteOptions{GracePeriodSeconds: &now}, metav1.ListOptions{})
	if err != nil {
		s.Error(err)
		return
	}
	err = s.Pods.Await(ctx, "all pods are gone", func([]*corev1.Pod) bool { return len(s.Pods.List(inNamespace)) == 0 })
	if err != nil {
		s.Error(err)
		return
	}
	if err := s.awaitNothingPromised(ctx); err != nil {
		s.Error(err)
	}
}

// tellState writes what a failed story has come to into its output.
func (s *story) tellState(ctx context.Context) {
	for _, pod := range s.Pods.List(inNamespace) {
		s.Logf("pod %s (%s) on %q: %s, %s", pod.Name, pod.Labels["spark-role"], pod.Spec.NodeName, pod.Status.Phase, waitingReason(pod))
	}
	if records, err := s.scheduler.gangs(ctx); err == nil {
		for _, r := range records {
			s.Logf("gang %s: %s, %d of %d bound: %s", r.Gang, r.Phase, r.Bound, r.Min, r.Verdict)
		}
	}
	for _, pod := range s.Pods.List(testcluster.And(inNamespace, testcluster.IsDriver)) {
		if lines, err := s.log(ctx, pod.Name); err == nil {
			s.Logf("end of the log of %s:\n%s", pod.Name, tail(lines, 25))
		}
	}
}

// inPods is the path at which pods see a path of the shared folder.
func (s *stage) inPods(name string) string { return path.Join(folder, name) }
