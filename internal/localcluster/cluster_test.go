package localcluster_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"

	"muster.sh/muster/internal/localcluster"
	"muster.sh/muster/internal/localcluster/sparkactor"
)

// clusterTimeout bounds a test with a whole cluster, its build included.
const clusterTimeout = 20 * time.Minute

// start brings a cluster up for the test; it is skipped by -short.
func start(t *testing.T, spec localcluster.Spec) (context.Context, *localcluster.Cluster) {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a whole cluster: not with -short")
	}
	ctx, cancel := context.WithTimeout(t.Context(), clusterTimeout)
	t.Cleanup(cancel)
	spec.Progress = t.Output()
	cluster, err := localcluster.Up(ctx, spec)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cluster.Close(); err != nil {
			t.Error(err)
		}
	})
	return ctx, cluster
}

func TestUpSimulated(t *testing.T) {
	dir := t.TempDir()
	ctx, cluster := start(t, localcluster.Spec{Dir: dir, SimNodes: 3, AuditLog: true})
	client := cluster.Client()
	runPod(ctx, t, client, "before")

	t.Run("a killed control plane keeps its objects", func(t *testing.T) {
		if err := cluster.Kill("control-plane"); err != nil {
			t.Fatal(err)
		}
		if err := cluster.Start(ctx, "control-plane"); err != nil {
			t.Fatal(err)
		}
		if _, err := client.CoreV1().Pods("default").Get(ctx, "before", metav1.GetOptions{}); err != nil {
			t.Errorf("a pod made before the kill is lost: %v", err)
		}
		runPod(ctx, t, client, "after")
	})
	t.Run("a killed scheduler stays down until it is started", func(t *testing.T) {
		if err := cluster.Kill("kube-scheduler"); err != nil {
			t.Fatal(err)
		}
		if pid, err := cluster.PID("kube-scheduler"); err != nil || pid != 0 {
			t.Errorf("process %d, %v", pid, err)
		}
		if err := cluster.Start(ctx, "kube-scheduler"); err != nil {
			t.Fatal(err)
		}
		runPod(ctx, t, client, "scheduled-later")
	})
	t.Run("a scheduler that ends by itself is started again", func(t *testing.T) {
		before, err := cluster.PID("kube-scheduler")
		if err != nil {
			t.Fatal(err)
		}
		if err := syscall.Kill(before, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		runPod(ctx, t, client, "after-a-crash")
		state, err := localcluster.ReadState(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, component := range state.Components {
			if component.PID == before {
				t.Errorf("the state still names process %d", before)
			}
		}
	})
	t.Run("nodes can be added", func(t *testing.T) {
		shape, err := localcluster.ParseShape("cpu=4,memory=8Gi,nvidia.com/gpu=2,zones=2")
		if err != nil {
			t.Fatal(err)
		}
		if err := cluster.AddSimNodes(ctx, 2, shape); err != nil {
			t.Fatal(err)
		}
		nodes, err := client.CoreV1().Nodes().List(ctx, metav1.ListOptions{LabelSelector: localcluster.ZonesLabel + "=2"})
		if err != nil || len(nodes.Items) != 2 {
			t.Errorf("%d nodes with two zones, %v", len(nodes.Items), err)
		}
	})
	t.Run("a pod with a duration ends by itself", func(t *testing.T) {
		pod := smallPod("short")
		pod.Annotations = map[string]string{"muster.sh/simulated-duration": "1s"}
		createPod(ctx, t, client, pod)
		awaitPhase(ctx, t, client, "short", corev1.PodSucceeded)
	})
	t.Run("the audit log tells where pods were bound", func(t *testing.T) {
		log, err := os.ReadFile(cluster.AuditLogPath())
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{`/pods/before/binding`, `"target":{"kind":"Node","name":"sim-0000`} {
			if !bytes.Contains(log, []byte(want)) {
				t.Errorf("the audit log lacks %s", want)
			}
		}
	})
	if err := cluster.Close(); err != nil {
		t.Fatal(err)
	}
	if left := processesNaming(t, dir); len(left) > 0 {
		t.Errorf("processes are left: %v", left)
	}
}

func TestSimulatedSparkApplicationsRunToTheirEnd(t *testing.T) {
	ctx, cluster := start(t, localcluster.Spec{SimNodes: 2, SparkActor: true, SeparateProcesses: true})
	client := cluster.Client()
	var apps []sparkactor.Submitted
	for i := range 3 {
		app, err := sparkactor.Submit(ctx, client, sparkactor.App{
			Name: fmt.Sprintf("app-%d", i), Namespace: "default", Executors: 3, Duration: time.Second,
			Conf: map[string]string{"spark.scheduler.minRegisteredResourcesRatio": "1.0"},
		})
		if err != nil {
			t.Fatal(err)
		}
		apps = append(apps, app)
	}
	for _, app := range apps {
		phase, err := sparkactor.Await(ctx, client, app)
		if err != nil || phase != corev1.PodSucceeded {
			t.Errorf("%s: %s, %v", app.Driver, phase, err)
		}
	}
	pods, err := client.CoreV1().Pods("default").List(ctx, metav1.ListOptions{LabelSelector: "spark-role=executor"})
	if err != nil {
		t.Fatal(err)
	}
	for _, pod := range pods.Items {
		if pod.DeletionTimestamp == nil {
			t.Errorf("executor %s outlives its application", pod.Name)
		}
	}
}

func TestMustersSchedulerRunsPodsInItsOwnRights(t *testing.T) {
	ctx, cluster := start(t, localcluster.Spec{SimNodes: 1, Schedulers: []localcluster.SchedulerSpec{localcluster.MusterScheduler()}})
	pod := smallPod("mine")
	pod.Spec.SchedulerName = "muster"
	createPod(ctx, t, cluster.Client(), pod)
	awaitPhase(ctx, t, cluster.Client(), "mine", corev1.PodRunning)
}

func TestAClusterThatWasKeptGoesOnWhereItWas(t *testing.T) {
	dir := t.TempDir()
	ctx, cluster := start(t, localcluster.Spec{Dir: dir, Keep: true, SimNodes: 1})
	runPod(ctx, t, cluster.Client(), "kept")
	if _, err := localcluster.Up(ctx, localcluster.Spec{Dir: dir}); err == nil || !strings.Contains(err.Error(), "runs in") {
		t.Errorf("a second cluster in the same folder: %v", err)
	}
	server := cluster.RESTConfig().Host
	if err := cluster.Close(); err != nil {
		t.Fatal(err)
	}
	if err := localcluster.Shutdown(ctx, dir); !errors.Is(err, localcluster.ErrNotRunning) {
		t.Errorf("shut down after close: %v", err)
	}
	ctx, cluster = start(t, localcluster.Spec{Dir: dir, SimNodes: 1})
	if got := cluster.RESTConfig().Host; got != server {
		t.Errorf("the API server moved from %s to %s", server, got)
	}
	if _, err := cluster.Client().CoreV1().Pods("default").Get(ctx, "kept", metav1.GetOptions{}); err != nil {
		t.Errorf("the pod is lost: %v", err)
	}
}

// ownerDir makes the test binary a process that owns a cluster in that folder
// until it is killed.
const ownerDir = "MUSTER_TEST_OWNER_DIR"

func TestMain(m *testing.M) {
	dir := os.Getenv(ownerDir)
	if dir == "" {
		os.Exit(m.Run())
	}
	if _, err := localcluster.Up(context.Background(), localcluster.Spec{Dir: dir, SimNodes: 1}); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("up")
	select {}
}

func TestNothingOutlivesAKilledOwner(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a whole cluster: not with -short")
	}
	dir := t.TempDir()
	owner := exec.CommandContext(t.Context(), os.Args[0])
	owner.Env = append(os.Environ(), ownerDir+"="+dir)
	output, err := owner.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := owner.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(output).ReadString('\n')
	if err != nil || line != "up\n" {
		t.Fatalf("the owner says %q, %v", line, err)
	}
	children := processesNaming(t, dir)
	if len(children) < 3 {
		t.Errorf("the cluster has only the processes %v", children)
	}
	if err := owner.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = owner.Wait() // it was killed
	// The kernel kills them at the owner's death, but they need time to go.
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	err = wait.PollUntilContextCancel(ctx, 50*time.Millisecond, true, func(context.Context) (bool, error) {
		return len(processesNaming(t, dir)) == 0, nil
	})
	if err != nil {
		t.Errorf("processes are left: %v", processesNaming(t, dir))
	}
}

func smallPod(name string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "default"},
		Spec: corev1.PodSpec{
			RestartPolicy: corev1.RestartPolicyNever,
			Containers: []corev1.Container{{
				Name: "main", Image: "none",
				Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("1")}},
			}},
		},
	}
}

func createPod(ctx context.Context, t *testing.T, client kubernetes.Interface, pod *corev1.Pod) {
	t.Helper()
	if _, err := client.CoreV1().Pods(pod.Namespace).Create(ctx, pod, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

func runPod(ctx context.Context, t *testing.T, client kubernetes.Interface, name string) {
	t.Helper()
	createPod(ctx, t, client, smallPod(name))
	awaitPhase(ctx, t, client, name, corev1.PodRunning)
}

func awaitPhase(ctx context.Context, t *testing.T, client kubernetes.Interface, name string, phase corev1.PodPhase) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	list := cache.NewListWatchFromClient(client.CoreV1().RESTClient(), "pods", "default", fields.OneTermEqualSelector("metadata.name", name))
	_, err := watchtools.UntilWithSync(ctx, list, &corev1.Pod{}, nil, func(event watch.Event) (bool, error) {
		pod, ok := event.Object.(*corev1.Pod)
		return ok && pod.Status.Phase == phase, nil
	})
	if err != nil {
		t.Fatalf("pod %s does not become %s: %v", name, phase, err)
	}
}

// processesNaming returns the processes with a word on their command lines.
func processesNaming(t *testing.T, word string) []string {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, file := range files {
		line, err := os.ReadFile(file)
		if err != nil || !bytes.Contains(line, []byte(word)) {
			continue // it has ended meanwhile, or is another's
		}
		pid := filepath.Base(filepath.Dir(file))
		if pid != strconv.Itoa(os.Getpid()) {
			found = append(found, pid+" "+string(bytes.ReplaceAll(line, []byte{0}, []byte{' '})))
		}
	}
	return found
}
