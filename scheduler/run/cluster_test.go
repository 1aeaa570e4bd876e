package run

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"

	config "muster.sh/muster/api/config/v1alpha1"
	"muster.sh/muster/api/v1alpha1"
	"muster.sh/muster/internal/localcluster"
	"muster.sh/muster/test/testcluster"
)

const patienceOfTests = time.Minute

var podGroups = schema.GroupVersionResource{Group: "scheduling.volcano.sh", Version: "v1beta1", Resource: "podgroups"}

// stage is a real control plane with simulated nodes and this scheduler in the
// test's own process.
type stage struct {
	*localcluster.Cluster
	t       *testing.T
	ctx     context.Context
	client  kubernetes.Interface
	dynamic dynamic.Interface
	// gangs is where the last scheduler tells of its gangs.
	gangs string
}

// freePort returns a port on which nobody listens now.
func freePort(t *testing.T) int32 {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return int32(l.Addr().(*net.TCPAddr).Port)
}

// get reads what the scheduler serves with a certificate that it has made.
func (s *stage) get(url string) string {
	client := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}, Timeout: patienceOfTests}
	defer client.CloseIdleConnections()
	response, err := client.Get(url)
	if err != nil {
		return err.Error()
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err.Error()
	}
	return string(body)
}

// newStage gives a test nodes of its own on the cluster that all tests share, and
// takes all that the test has made away when it ends.
func newStage(t *testing.T, nodes int, shape string) *stage {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a control plane; not with -short")
	}
	nodeShape, err := localcluster.ParseShape(shape)
	if err != nil {
		t.Fatal(err)
	}
	cluster, err := sharedCluster()
	if err != nil {
		t.Fatal(err)
	}
	dyn, err := dynamic.NewForConfig(cluster.RESTConfig())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	t.Cleanup(cancel)
	s := &stage{Cluster: cluster, t: t, ctx: ctx, client: cluster.Client(), dynamic: dyn}
	t.Cleanup(s.clear)
	if err := cluster.AddSimNodes(ctx, nodes, nodeShape); err != nil {
		t.Fatal(err)
	}
	return s
}

// shared is the cluster of all tests, without schedulers and nodes. The first test
// that asks for it starts it.
var shared struct {
	start   sync.Once
	cluster *localcluster.Cluster
	err     error
}

func sharedCluster() (*localcluster.Cluster, error) {
	shared.start.Do(func() {
		shared.cluster, shared.err = localcluster.Up(context.Background(), localcluster.Spec{
			KubernetesVersion: testcluster.KubernetesVersion(), Schedulers: []localcluster.SchedulerSpec{}, Progress: os.Stderr,
			Manifests: []string{"../../charts/muster/crds", "../../internal/volcano/podgroup-crd.yaml"},
		})
		if shared.err == nil {
			shared.err = testcluster.CheckKubernetes(shared.cluster.Client().Discovery())
		}
	})
	return shared.cluster, shared.err
}

func TestMain(m *testing.M) {
	code := m.Run()
	if shared.cluster != nil {
		if err := shared.cluster.Close(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = max(code, 1)
		}
	}
	os.Exit(code)
}

// clear deletes what a test has made.
func (s *stage) clear() {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), patienceOfTests)
	defer cancel()
	now := int64(0)
	at, all := metav1.DeleteOptions{GracePeriodSeconds: &now}, metav1.ListOptions{}
	builtIn := s.client.CoreV1()
	err := errors.Join(
		builtIn.Pods("default").DeleteCollection(ctx, at, all),
		s.dynamic.Resource(podGroups).Namespace("default").DeleteCollection(ctx, at, all),
		s.dynamic.Resource(v1alpha1.ReservationResource).Namespace("default").DeleteCollection(ctx, at, all),
		builtIn.ConfigMaps("default").DeleteCollection(ctx, at, all),
		s.client.EventsV1().Events("default").DeleteCollection(ctx, at, all),
		s.client.CoordinationV1().Leases("kube-system").DeleteCollection(ctx, at, metav1.ListOptions{FieldSelector: "metadata.name=muster-scheduler"}),
		builtIn.Nodes().DeleteCollection(ctx, at, all),
	)
	if err != nil {
		s.t.Errorf("clear the cluster: %v", err)
	}
}

// schedule runs a scheduler until it is stopped, or the test ends.
func (s *stage) schedule(change func(*config.SchedulerConfiguration)) *scheduling {
	s.t.Helper()
	c := config.NewSchedulerConfiguration()
	c.ClientConnection.Kubeconfig = s.Kubeconfig()
	off, port := false, freePort(s.t)
	c.LeaderElection.LeaderElect, c.Serving.Port = &off, &port
	s.gangs = fmt.Sprintf("https://127.0.0.1:%d/gangs", port)
	if change != nil {
		change(c)
	}
	ctx, cancel := context.WithCancel(s.ctx)
	run := &scheduling{cancel: cancel, over: make(chan struct{}), journal: filepath.Join(s.t.TempDir(), "journal")}
	c.Record.File = run.journal
	go func() {
		defer close(run.over)
		run.err = Run(ctx, c, Options{OpenPaths: []string{"/gangs", "/metrics"}})
	}()
	s.t.Cleanup(func() {
		if err := run.stop(); err != nil && !errors.Is(err, ErrLeaseLost) {
			s.t.Errorf("the scheduler ended: %v", err)
		}
		checkReplay(s.t, run.journal)
	})
	return run
}

// scheduling is one scheduler that runs.
type scheduling struct {
	cancel context.CancelFunc
	over   chan struct{}
	err    error
	// journal is the file in which its events are recorded.
	journal string
}

// ended waits until it has ended by itself, and returns how.
func (r *scheduling) ended() error {
	<-r.over
	return r.err
}

func (r *scheduling) stop() error {
	r.cancel()
	return r.ended()
}

func (s *stage) podGroup(name string, minMember int64) {
	s.t.Helper()
	g := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "scheduling.volcano.sh/v1beta1", "kind": "PodGroup",
		"metadata": map[string]any{"name": name, "namespace": "default"},
		"spec":     map[string]any{"minMember": minMember},
	}}
	if _, err := s.dynamic.Resource(podGroups).Namespace("default").Create(s.ctx, g, metav1.CreateOptions{}); err != nil {
		s.t.Fatal(err)
	}
}

func (s *stage) deletePodGroup(name string) {
	s.t.Helper()
	if err := s.dynamic.Resource(podGroups).Namespace("default").Delete(s.ctx, name, metav1.DeleteOptions{}); err != nil {
		s.t.Fatal(err)
	}
}

func (s *stage) deletePod(name string) {
	s.t.Helper()
	if err := s.client.CoreV1().Pods("default").Delete(s.ctx, name, metav1.DeleteOptions{}); err != nil {
		s.t.Fatal(err)
	}
}

// pod creates a pod of ours, a member of a PodGroup if one is named.
func (s *stage) pod(name, group, cpu string, change ...func(*v1.Pod)) *v1.Pod {
	s.t.Helper()
	p := &v1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "default"},
		Spec: v1.PodSpec{SchedulerName: "muster", Containers: []v1.Container{{
			Name: "c", Image: "registry.invalid/none",
			Resources: v1.ResourceRequirements{Requests: v1.ResourceList{v1.ResourceCPU: resource.MustParse(cpu)}},
		}}},
	}
	if group != "" {
		p.Annotations = map[string]string{"scheduling.k8s.io/group-name": group}
	}
	for _, f := range change {
		f(p)
	}
	p, err := s.client.CoreV1().Pods("default").Create(s.ctx, p, metav1.CreateOptions{})
	if err != nil {
		s.t.Fatal(err)
	}
	return p
}

func (s *stage) pods() []v1.Pod {
	s.t.Helper()
	list, err := s.client.CoreV1().Pods("default").List(s.ctx, metav1.ListOptions{})
	if err != nil {
		s.t.Fatal(err)
	}
	return list.Items
}

// bound returns the names of the pods that have a node.
func (s *stage) bound() []string {
	var out []string
	for _, p := range s.pods() {
		if p.Spec.NodeName != "" {
			out = append(out, p.Name)
		}
	}
	slices.Sort(out)
	return out
}

// await waits until a condition holds that can only be seen by looking.
func (s *stage) await(what string, holds func() bool) {
	s.t.Helper()
	err := wait.PollUntilContextTimeout(s.ctx, 50*time.Millisecond, patienceOfTests, true, func(context.Context) (bool, error) { return holds(), nil })
	if err != nil {
		s.t.Fatalf("waited in vain until %s; bound are %v; the scheduler says:\n%s", what, s.bound(), s.get(s.gangs))
	}
}

func (s *stage) awaitBound(want ...string) {
	s.t.Helper()
	slices.Sort(want)
	s.await(fmt.Sprintf("%v are bound", want), func() bool { return slices.Equal(s.bound(), want) })
}

func TestAGangStartsWholeOrNotAtAll(t *testing.T) {
	s := newStage(t, 2, "cpu=4,memory=16Gi")
	scheduler := s.schedule(nil)
	s.podGroup("big", 5)
	for i := range 5 {
		s.pod(fmt.Sprint("big-", i), "big", "2")
	}
	s.podGroup("small", 3)
	for i := range 3 {
		s.pod(fmt.Sprint("small-", i), "small", "2")
	}
	s.pod("single", "", "1")
	s.awaitBound("single", "small-0", "small-1", "small-2")

	// Without its PodGroup nobody waits for replacements of its members.
	s.deletePodGroup("small")
	for i := range 3 {
		s.deletePod(fmt.Sprint("small-", i))
	}
	s.podGroup("next", 3)
	for i := range 3 {
		s.pod(fmt.Sprint("next-", i), "next", "2")
	}
	s.awaitBound("next-0", "next-1", "next-2", "single")

	if err := scheduler.stop(); err != nil {
		t.Fatal(err)
	}
	if o, _, err := replayFile(scheduler.journal, nil); err != nil || o.Decisions["OpenLatch"] != 2 {
		t.Errorf("of the two gangs that have started the replay has %+v: %v", o, err)
	}
}

// checkReplay says whether what a scheduler has recorded, if it has led, gives the same
// decisions elsewhere.
func checkReplay(t *testing.T, path string) {
	t.Helper()
	o, _, err := replayFile(path, nil)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		t.Errorf("what was recorded can't be replayed: %v", err)
	case o.Difference != nil:
		t.Errorf("%d recorded events have other decisions in a replay: %s", o.Differing, o.Difference)
	case o.End != "the scheduler was stopped":
		t.Errorf("the record ends because %s", o.End)
	}
}
