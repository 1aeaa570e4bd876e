package spark

import (
	"context"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kubeflow/spark-operator/v2/api/v1alpha1"
	"github.com/kubeflow/spark-operator/v2/api/v1beta2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"muster.sh/muster/internal/sparksubmit"
	"muster.sh/muster/test/testcluster"
)

const (
	// connectJar has Spark's Connect server, which the image is without.
	connectJar = "spark-connect.jar"
	// librariesPath is where a client sees its libraries.
	librariesPath = "/opt/libraries"
	// connectPort is that of Spark's own choice, and dialTimeout how long it may take to
	// reach it.
	connectPort = "15002"
	dialTimeout = 5 * time.Second
)

// connectServer has a Connect server wait together with its executors, and then serve a
// client that needs all of them at the same time.
func connectServer(s *story) {
	libraries := testcluster.PythonLibraries(s.ctx, s.T, "spark-connect", filepath.Join("testdata", "connect-requirements.txt"))
	s.provideConnect()
	a := application{name: "connected", executors: full, steps: []int{full}}
	objects, conn := s.SparkClient(s.T), s.sparkConnect(a)
	before := s.kept()
	sleepers := []*corev1.Pod{s.settle("neighbour"), s.settle("blocker")}
	s.prepare(a)
	s.must(objects.Create(s.ctx, conn))
	defer func() { s.must(client.IgnoreNotFound(objects.Delete(s.ctx, conn))) }()

	s.awaitDriver(a, "waits for room", waits)
	key := client.ObjectKeyFromObject(conn)
	testcluster.AwaitSparkConnect(s.ctx, s.T, objects, key, "says why it waits", func(c *v1alpha1.SparkConnect) bool {
		return c.Status.State == v1alpha1.SparkConnectStateNotReady && strings.Contains(c.Status.Conditions[0].Message, "cpu")
	})
	s.requireUnbound(a)
	for _, sleeper := range sleepers {
		s.deleteAtOnce(sleeper)
	}
	server := testcluster.AwaitSparkConnect(s.ctx, s.T, objects, key, "is ready with its executors", func(c *v1alpha1.SparkConnect) bool {
		return c.Status.State == v1alpha1.SparkConnectStateReady && c.Status.Executors["running"] == full
	}).Status.Server
	s.requireListens(server)

	pod := s.pod("client", "python3", s.inPods("client.py"), "sc://"+server.ServiceName+"."+namespace, s.inPods(a.name), strconv.Itoa(full))
	pod.Spec.Containers[0].Env = []corev1.EnvVar{{Name: "PYTHONPATH", Value: librariesPath}, {Name: "PYTHONDONTWRITEBYTECODE", Value: "1"}}
	mount(pod, libraries, librariesPath)
	mount(pod, s.shared, folder)
	asking := s.create(pod)
	s.meet(a, 0)()
	s.requireResultsIn(s.end(asking), a)

	s.must(objects.Delete(s.ctx, conn))
	s.await("nothing runs for it any more", func() bool { return len(s.Pods.List(of(a))) == 0 })
	s.awaitNothingLeft(before)
}

// requireListens requires that a server which is said to be ready can be talked to at once.
func (s *story) requireListens(server v1alpha1.SparkConnectServerStatus) {
	s.Helper()
	err := s.network.Do(func() error {
		conn, err := net.DialTimeout("tcp4", net.JoinHostPort(server.PodIP, connectPort), dialTimeout)
		if err != nil {
			return err
		}
		return conn.Close()
	})
	if err != nil {
		s.Errorf("%s is said to be ready: %v", server.PodName, err)
	}
}

// provideConnect puts the server to where all pods see it.
func (s *story) provideConnect() {
	s.Helper()
	jars, err := filepath.Glob(filepath.Join(s.spark.Dist.Home, "jars", "spark-connect_*.jar"))
	s.must(err)
	if len(jars) != 1 {
		s.Fatalf("the distribution has %d Connect servers", len(jars))
	}
	jar, err := os.ReadFile(jars[0])
	s.must(err)
	s.must(os.WriteFile(filepath.Join(s.shared, connectJar), jar, 0o644))
}

// sparkConnect is a server as a user would write it, as large as any application here.
func (s *stage) sparkConnect(a application) *v1alpha1.SparkConnect {
	conn := &v1alpha1.SparkConnect{
		ObjectMeta: metav1.ObjectMeta{Name: a.name, Namespace: namespace},
		Spec: v1alpha1.SparkConnectSpec{
			SparkVersion: s.spark.Dist.Version, Image: ptr.To(s.spark.Dist.ImageName), SparkConf: map[string]string{},
			Executor: v1alpha1.ExecutorSpec{Instances: ptr.To[int32](full)},
		},
	}
	conn.Spec.Server.Template = &corev1.PodTemplateSpec{Spec: corev1.PodSpec{ServiceAccountName: sparksubmit.DriverAccount}}
	for _, setting := range append(sparksubmit.Frugal(s.spark.Dist.ImageName), s.settings(a)...) {
		conn.Spec.SparkConf[setting.Key] = setting.Value
	}
	conn.Spec.SparkConf["spark.driver.extraClassPath"] += ":" + s.inPods(connectJar)
	conn.Spec.SparkConf["spark.jars"] = "local://" + s.inPods(connectJar) // executors make results by its classes
	conn.Spec.SparkConf["spark.ui.enabled"] = "true"                      // as with anybody's
	return conn
}

// keeps are the kinds of what a server has beside pods.
var keeps = []schema.GroupVersionResource{
	corev1.SchemeGroupVersion.WithResource("services"), corev1.SchemeGroupVersion.WithResource("configmaps"),
	networkingv1.SchemeGroupVersion.WithResource("networkpolicies"), v1beta2.SchemeGroupVersion.WithResource("sparkapplications"),
}

// kept are the names of what there is of them.
func (s *story) kept() map[string]bool {
	s.Helper()
	names := map[string]bool{}
	for _, kind := range keeps {
		list, err := s.Dynamic.Resource(kind).Namespace(namespace).List(s.ctx, metav1.ListOptions{})
		s.must(err)
		for i := range list.Items {
			names[kind.Resource+"/"+list.Items[i].GetName()] = true
		}
	}
	return names
}

// awaitNothingLeft waits until nothing is there that was not there before.
func (s *story) awaitNothingLeft(before map[string]bool) {
	s.Helper()
	var left map[string]bool
	err := wait.PollUntilContextCancel(s.ctx, pollInterval, true, func(context.Context) (bool, error) {
		left = s.kept()
		maps.DeleteFunc(left, func(name string, _ bool) bool { return before[name] })
		return len(left) == 0, nil
	})
	if err != nil {
		s.Fatalf("%q are left", slices.Sorted(maps.Keys(left)))
	}
}
