package node_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/remotecommand"
	watchtools "k8s.io/client-go/tools/watch"

	"muster.sh/muster/internal/localcluster"
	"muster.sh/muster/internal/localcluster/network"
	"muster.sh/muster/internal/localcluster/node"
)

const (
	namespace  = "default"
	probeImage = "muster.local/probe:1"
	clusterUp  = 10 * time.Minute // cold caches included
)

// needNodes skips a test where real nodes are not possible.
func needNodes(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a whole cluster; run without -short")
	}
	if missing := node.Missing(t.Context(), t.TempDir()); len(missing) > 0 {
		t.Skip("real nodes are not possible here: ", missing)
	}
}

// suite is a cluster of two nodes and what its tests have in common.
type suite struct {
	ctx     context.Context
	cluster *localcluster.Cluster
}

func TestNodes(t *testing.T) {
	needNodes(t)
	ctx, cancel := context.WithTimeout(t.Context(), clusterUp)
	defer cancel()
	dir := t.TempDir()
	before := lookAtMachine(t, dir)
	cpus, memory := 2*runtime.NumCPU()+1, int64(8<<30)
	cluster, err := localcluster.Up(ctx, localcluster.Spec{
		Dir: dir, Nodes: 2, NodeCPUs: cpus, NodeMemory: *resource.NewQuantity(memory, resource.BinarySI), Progress: os.Stderr,
	})
	if err != nil {
		t.Fatal(err)
	}
	closed := false
	t.Cleanup(func() {
		if !closed {
			_ = cluster.Close() // the test has failed already
		}
	})
	s := suite{ctx, cluster}
	t.Run("nodes show the CPUs and memory they are told to", func(t *testing.T) { s.capacity(t, int64(cpus), memory) })
	if err := cluster.LoadImage(ctx, probeArchive(t)); err != nil {
		t.Fatal(err)
	}
	s.startPods(t)
	t.Run("pods reach each other", s.podToPod)
	t.Run("names of headless Services are the pods", s.headlessService)
	t.Run("Services lead to pods of all nodes", s.service)
	t.Run("the API server is a Service", s.apiServer)
	t.Run("ports of nodes lead to their pods", s.hostPorts)
	t.Run("logs of pods are read", s.logs)
	t.Run("memory limits hold where the machine enforces them", s.memoryLimit)
	t.Run("daemons that are killed come back and pods live on", s.killDaemons)
	t.Run("a node that was switched off comes back with its pods", s.restart)

	footprint := footprintOf(t, os.Getpid(), false)
	if err := cluster.Close(); err != nil {
		t.Error(err)
	}
	closed = true
	footprint.awaitNothing(t)
	if after := lookAtMachine(t, dir); !reflect.DeepEqual(after, before) {
		t.Errorf("the machine was  %+v\nand has become %+v", before, after)
	}
}

// probeArchive builds the tests' program and makes an image of it.
func probeArchive(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	program := filepath.Join(dir, "probe")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, "./testdata/probe")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-buildvcs=false")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the probe: %v\n%s", err, out)
	}
	archive, err := node.ProgramArchive(probeImage, program)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "probe.tar")
	if err := os.WriteFile(file, archive, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func (s suite) capacity(t *testing.T, cpus, memory int64) {
	nodes, err := s.cluster.Client().CoreV1().Nodes().List(s.ctx, metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(nodes.Items) != 2 {
		t.Errorf("there are %d nodes", len(nodes.Items))
	}
	for _, n := range nodes.Items {
		if got := n.Status.Capacity.Cpu().Value(); got != cpus {
			t.Errorf("%s shows %d CPUs", n.Name, got)
		}
		if got := n.Status.Capacity.Memory().Value(); got != memory {
			t.Errorf("%s shows %d bytes of memory", n.Name, got)
		}
	}
}

// hostPort is where each node passes on to its web pod.
const hostPort = 8088

// webPods are one pod on each node, which serve their names.
var webPods = []string{"web-1", "web-2"}

// startPods starts the web pods and makes two Services of them.
func (s suite) startPods(t *testing.T) {
	t.Helper()
	for i, name := range s.cluster.RealNodes() {
		pod := probePod(webPods[i], name)
		pod.Labels = map[string]string{"app": "web"}
		pod.Spec.Containers[0].ReadinessProbe = &corev1.Probe{
			ProbeHandler:  corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/", Port: intstr.FromInt32(8080)}},
			PeriodSeconds: 1,
		}
		pod.Spec.Containers[0].Ports = []corev1.ContainerPort{{ContainerPort: 8080, HostPort: hostPort}}
		s.create(t, pod)
	}
	for name, clusterIP := range map[string]string{"web": "", "headless": corev1.ClusterIPNone} {
		service := &corev1.Service{
			ObjectMeta: metav1.ObjectMeta{Name: name},
			Spec: corev1.ServiceSpec{
				ClusterIP: clusterIP,
				Selector:  map[string]string{"app": "web"},
				Ports:     []corev1.ServicePort{{Port: 80, TargetPort: intstr.FromInt32(8080)}},
			},
		}
		if _, err := s.cluster.Client().CoreV1().Services(namespace).Create(s.ctx, service, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range webPods {
		s.await(t, name, "ready", podIsReady)
	}
}

func probePod(name, nodeName string, args ...string) *corev1.Pod {
	grace := int64(1)
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: corev1.PodSpec{
			NodeName:                      nodeName,
			RestartPolicy:                 corev1.RestartPolicyAlways,
			TerminationGracePeriodSeconds: &grace,
			Containers:                    []corev1.Container{{Name: "main", Image: probeImage, Args: args, ImagePullPolicy: corev1.PullNever}},
		},
	}
}

func (s suite) create(t *testing.T, pod *corev1.Pod) {
	t.Helper()
	if _, err := s.cluster.Client().CoreV1().Pods(namespace).Create(s.ctx, pod, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

// await waits until the pod is as wanted, and returns it.
func (s suite) await(t *testing.T, name, what string, wanted func(*corev1.Pod) bool) *corev1.Pod {
	t.Helper()
	list := cache.NewListWatchFromClient(s.cluster.Client().CoreV1().RESTClient(), "pods", namespace, fields.OneTermEqualSelector("metadata.name", name))
	var last *corev1.Pod
	_, err := watchtools.UntilWithSync(s.ctx, list, &corev1.Pod{}, nil, func(event watch.Event) (bool, error) {
		pod, ok := event.Object.(*corev1.Pod)
		if ok {
			last = pod
		}
		return ok && wanted(pod), nil
	})
	if err != nil {
		t.Fatalf("pod %s is not %s: %v; last seen as %+v", name, what, err, last)
	}
	return last
}

func podIsReady(pod *corev1.Pod) bool {
	return slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}

// exec runs the probe with the arguments in a pod, as kubectl exec does.
func (s suite) exec(t *testing.T, pod string, args ...string) string {
	t.Helper()
	out, err := s.tryExec(pod, args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (s suite) tryExec(pod string, args ...string) (string, error) {
	request := s.cluster.Client().CoreV1().RESTClient().Post().
		Resource("pods").Namespace(namespace).Name(pod).SubResource("exec").
		VersionedParams(&corev1.PodExecOptions{Command: append([]string{"/probe"}, args...), Stdout: true, Stderr: true}, scheme.ParameterCodec)
	executor, err := remotecommand.NewWebSocketExecutor(s.cluster.RESTConfig(), "GET", request.URL().String())
	if err != nil {
		return "", err
	}
	var stdout, stderr bytes.Buffer
	if err := executor.StreamWithContext(s.ctx, remotecommand.StreamOptions{Stdout: &stdout, Stderr: &stderr}); err != nil {
		return "", fmt.Errorf("%s: probe %s: %w %s", pod, strings.Join(args, " "), err, stderr.String())
	}
	return stdout.String(), nil
}

func (s suite) addresses(t *testing.T) map[string]string {
	t.Helper()
	addresses := map[string]string{}
	for _, name := range webPods {
		addresses[name] = s.await(t, name, "addressed", func(p *corev1.Pod) bool { return p.Status.PodIP != "" }).Status.PodIP
	}
	return addresses
}

func (s suite) podToPod(t *testing.T) {
	for to, address := range s.addresses(t) {
		for _, from := range webPods {
			if got := s.exec(t, from, "get", "http://"+address+":8080"); got != to {
				t.Errorf("from %s to %s: answered %q", from, to, got)
			}
		}
	}
}

func (s suite) headlessService(t *testing.T) {
	var want []string
	for _, address := range s.addresses(t) {
		want = append(want, address)
	}
	slices.Sort(want)
	for _, from := range webPods {
		got := s.eventually(t, strings.Join(want, " "), func() (string, error) { return s.tryExec(from, "lookup", "headless.default.svc") })
		if got != strings.Join(want, " ") {
			t.Errorf("%s resolves it to %s, the pods are %v", from, got, want)
		}
	}
}

// eventually calls ask until it answers as wanted, and returns the last answer.
// How far DNS and kube-proxy are behind the API server, nothing tells.
func (s suite) eventually(t *testing.T, want string, ask func() (string, error)) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(s.ctx, time.Minute)
	defer cancel()
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	for {
		got, err := ask()
		if err == nil && got == want {
			return got
		}
		select {
		case <-ctx.Done():
			return fmt.Sprint(got, err)
		case <-ticker.C:
		}
	}
}

func (s suite) service(t *testing.T) {
	for _, from := range webPods {
		for _, to := range webPods {
			got := s.eventually(t, to, func() (string, error) { return s.tryExec(from, "get", "http://web") })
			if got != to {
				t.Errorf("from %s: %s is never reached: %s", from, to, got)
			}
		}
	}
}

func (s suite) apiServer(t *testing.T) {
	// Plain HTTP is answered in plain words by a server that wants TLS.
	const want = "Client sent an HTTP request to an HTTPS server.\n"
	for _, from := range webPods {
		if got := s.exec(t, from, "get", "http://kubernetes.default.svc:443"); got != want {
			t.Errorf("from %s: answered %q", from, got)
		}
	}
}

func (s suite) hostPorts(t *testing.T) {
	for i, to := range webPods {
		url := fmt.Sprintf("http://%s:%d", network.NodeIP(i), hostPort)
		for _, from := range webPods {
			if from == to {
				continue // a pod's way to itself by its node's port is nobody's need
			}
			if got := s.exec(t, from, "get", url); got != to {
				t.Errorf("from %s: %s answers %q", from, url, got)
			}
		}
	}
}

func (s suite) logs(t *testing.T) {
	for _, name := range webPods {
		data, err := s.cluster.Client().CoreV1().Pods(namespace).GetLogs(name, &corev1.PodLogOptions{}).DoRaw(s.ctx)
		if err != nil || string(data) != "serving as "+name+"\n" {
			t.Errorf("log of %s is %q, %v", name, data, err)
		}
	}
}

func (s suite) memoryLimit(t *testing.T) {
	capabilities, err := node.FindCapabilities(s.ctx)
	if err != nil {
		t.Fatal(err)
	}
	eater := probePod("eater", s.cluster.RealNodes()[0], "eat", "200")
	eater.Spec.RestartPolicy = corev1.RestartPolicyNever
	eater.Spec.Containers[0].Resources.Limits = corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("64Mi")}
	s.create(t, eater)
	if capabilities.Limits {
		s.await(t, "eater", "killed for its memory", func(p *corev1.Pod) bool {
			statuses := p.Status.ContainerStatuses
			return len(statuses) > 0 && statuses[0].State.Terminated != nil && statuses[0].State.Terminated.Reason == "OOMKilled"
		})
		return
	}
	t.Logf("limits do not hold on this machine (%v), so the pod must live", capabilities.Lacking)
	if got := s.eventually(t, "eater", func() (string, error) { return s.tryExec("eater", "get", "http://localhost:8080") }); got != "eater" {
		t.Errorf("the pod does not serve: %s", got)
	}
}

// killDaemons kills every daemon of every node.
func (s suite) killDaemons(t *testing.T) {
	killed := map[string]int{}
	for pid := range footprintOf(t, os.Getpid(), false).processes {
		daemon := daemonIn(pid)
		if daemon == "" {
			continue
		}
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		killed[daemon]++
	}
	if want := map[string]int{"containerd": 2, "kubelet": 2, "kube-proxy": 2}; !reflect.DeepEqual(killed, want) {
		t.Fatalf("killed %v, want %v", killed, want)
	}
	for _, pod := range webPods {
		if got := s.eventually(t, pod, func() (string, error) { return s.tryExec(pod, "get", "http://localhost:8080") }); got != pod {
			t.Errorf("%s answers %q", pod, got)
		}
		restarts := s.await(t, pod, "ready", podIsReady).Status.ContainerStatuses[0].RestartCount
		if restarts > 0 {
			t.Errorf("%s was restarted %d times", pod, restarts)
		}
	}
}

// daemonIn names the node's daemon that the process is, if it is one.
func daemonIn(pid int) string {
	line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid)) // of a process that may have ended
	args := strings.Split(string(line), "\x00")
	if !strings.Contains(string(line), "/etc/muster/") {
		return ""
	}
	for _, name := range []string{"containerd", "kubelet", "kube-proxy"} {
		if slices.Contains(args, name) {
			return name
		}
	}
	return ""
}

func (s suite) restart(t *testing.T) {
	name := s.cluster.RealNodes()[0]
	was := s.await(t, webPods[0], "ready", podIsReady).Status.ContainerStatuses[0].RestartCount
	if err := s.cluster.StopNode(name); err != nil {
		t.Fatal(err)
	}
	if err := s.cluster.StartNode(s.ctx, name); err != nil {
		t.Fatal(err)
	}
	s.await(t, webPods[0], "ready again", func(p *corev1.Pod) bool {
		return podIsReady(p) && p.Status.ContainerStatuses[0].RestartCount > was
	})
	if got := s.exec(t, webPods[1], "get", "http://"+s.addresses(t)[webPods[0]]+":8080"); got != webPods[0] {
		t.Errorf("after the restart answered %q", got)
	}
}
