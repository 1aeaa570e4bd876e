package spark

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"muster.sh/muster/internal/localcluster/network"
	"muster.sh/muster/internal/sparksubmit"
	"muster.sh/muster/test/testcluster"
)

// Ports of a driver in client mode, that executors must be able to reach.
const (
	driverPort       = "7078"
	blockManagerPort = "7079"
)

func clientMode(s *story) {
	app := application{name: "in-client-mode", executors: full, steps: []int{full}}
	s.settle("neighbour")
	blocker := s.settle("blocker")
	s.prepare(app)
	driver := s.createClient(app)
	s.awaitExecutorsWait(app) // there is room for one of the two
	s.deleteAtOnce(blocker)
	s.meet(app, 0)()
	s.await("the driver has ended", func() bool {
		return len(s.Pods.List(testcluster.And(is(driver), testcluster.Ended))) == 1
	})
	s.requireResults(driver.Name, app)
}

func (s *story) awaitExecutorsWait(a application) {
	s.Helper()
	s.await("the executors wait for room", func() bool {
		return len(s.executors(a, anyPod)) == full && len(s.executors(a, waits)) > 0
	})
	s.requireUnbound(a)
}

// clientOutside runs spark-submit in client mode where no pod is: on a machine
// beside the cluster whose network the pods can reach.
func clientOutside(s *story) {
	app := application{name: "outside", executors: full, steps: []int{full}}
	s.settle("neighbour")
	s.settle("second-neighbour") // in the place of the driver
	blocker := s.settle("blocker")
	s.prepare(app)
	driver := s.startOutside(app)
	s.awaitExecutorsWait(app)
	s.deleteAtOnce(blocker)
	s.meet(app, 0)()
	if err := driver.Wait(); err != nil {
		s.Errorf("the driver outside of the cluster has failed: %v", err)
	}
	text, err := os.ReadFile(s.outsideLog(app))
	s.must(err)
	s.requireResultsIn(strings.Split(string(text), "\n"), app)
}

func (s *stage) outsideLog(a application) string { return filepath.Join(s.spark.Dir, a.name+".log") }

// startOutside starts a driver in the network of the control plane.
func (s *story) startOutside(a application) *exec.Cmd {
	s.Helper()
	token, err := s.Client().CoreV1().ServiceAccounts(namespace).CreateToken(s.ctx, sparksubmit.DriverAccount,
		&authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	s.must(err)
	tokenFile := filepath.Join(s.T.TempDir(), "token")
	s.must(os.WriteFile(tokenFile, []byte(token.Status.Token), 0o600))
	api, err := url.Parse(s.spark.API)
	s.must(err)
	here := network.HubIP().String()
	command := s.clientCommand(a, "https://"+net.JoinHostPort(here, api.Port()), filepath.Join(s.shared, "parts.py"), []sparksubmit.Setting{
		{Key: "spark.kubernetes.authenticate.caCertFile", Value: s.spark.CAFile()},
		{Key: "spark.kubernetes.authenticate.oauthTokenFile", Value: tokenFile},
		{Key: "spark.driver.host", Value: here},
		{Key: "spark.driver.bindAddress", Value: here},
	})
	cmd := s.spark.Command(s.ctx, command...)
	log, err := os.Create(s.outsideLog(a))
	s.must(err)
	s.T.Cleanup(func() { _ = log.Close() }) // it is read by its name
	cmd.Stdout, cmd.Stderr = log, log
	s.must(s.network.Do(cmd.Start))
	return cmd
}

// createClient runs spark-submit in client mode in a pod, as a notebook or a
// workflow does. Muster sees a single pod in it.
func (s *story) createClient(a application) *corev1.Pod {
	s.Helper()
	labels := map[string]string{"app": a.name}
	_, err := s.Client().CoreV1().Services(namespace).Create(s.ctx, &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: a.name, Namespace: namespace},
		Spec: corev1.ServiceSpec{
			ClusterIP: corev1.ClusterIPNone, Selector: labels, PublishNotReadyAddresses: true,
			Ports: []corev1.ServicePort{{Name: "driver", Port: 7078}, {Name: "blocks", Port: 7079}},
		},
	}, metav1.CreateOptions{})
	s.must(err)
	command := s.clientCommand(a, "https://kubernetes.default.svc", s.inPods("parts.py"), []sparksubmit.Setting{
		{Key: "spark.kubernetes.driver.pod.name", Value: a.name},
		{Key: "spark.driver.host", Value: a.name + "." + namespace + ".svc"},
		{Key: "spark.driver.bindAddress", Value: "$(POD_IP)"},
		{Key: "spark.driver.port", Value: driverPort},
		{Key: "spark.driver.blockManager.port", Value: blockManagerPort},
	})
	pod := s.pod(a.name, slices.Concat([]string{"/opt/spark/bin/spark-submit"}, command)...)
	pod.Labels = labels
	pod.Spec.ServiceAccountName = sparksubmit.DriverAccount
	pod.Spec.Containers[0].Env = []corev1.EnvVar{{Name: "POD_IP", ValueFrom: &corev1.EnvVarSource{
		FieldRef: &corev1.ObjectFieldSelector{FieldPath: "status.podIP"},
	}}}
	mount(pod, s.shared, folder)
	return s.create(pod)
}

// mount lets a pod see a folder of its node.
func mount(pod *corev1.Pod, path, at string) {
	name := fmt.Sprintf("folder-%d", len(pod.Spec.Volumes))
	pod.Spec.Volumes = append(pod.Spec.Volumes, corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{
		HostPath: &corev1.HostPathVolumeSource{Path: path, Type: ptr.To(corev1.HostPathDirectory)},
	}})
	container := &pod.Spec.Containers[0]
	container.VolumeMounts = append(container.VolumeMounts, corev1.VolumeMount{Name: name, MountPath: at})
}

// end waits until a pod that runs a program has ended, and requires that it has ended
// well. It returns what the program has printed.
func (s *story) end(pod *corev1.Pod) []string {
	s.Helper()
	s.await(pod.Name+" has ended", func() bool { return len(s.Pods.List(testcluster.And(is(pod), testcluster.Ended))) == 1 })
	lines, err := s.log(s.ctx, pod.Name)
	s.must(err)
	if len(s.Pods.List(testcluster.And(is(pod), testcluster.Succeeded))) == 0 {
		s.Fatalf("%s has failed:\n%s", pod.Name, tail(lines, 25))
	}
	return lines
}

// clientCommand are the arguments of spark-submit for a driver that runs where it
// is started.
func (s *stage) clientCommand(a application, api, program string, where []sparksubmit.Setting) []string {
	command := []string{"--master", "k8s://" + api, "--deploy-mode", "client", "--name", a.name}
	for _, setting := range slices.Concat(sparksubmit.Frugal(s.spark.Dist.ImageName), s.settings(a), []sparksubmit.Setting{
		{Key: "spark.kubernetes.namespace", Value: namespace},
	}, where) {
		command = append(command, "--conf", setting.Key+"="+setting.Value)
	}
	return slices.Concat(command, []string{program}, s.arguments(a))
}

// settle creates a sleeper and waits until it has taken its place.
func (s *story) settle(name string) *corev1.Pod {
	s.Helper()
	sleeper := s.createSleeper(name)
	s.await(name+" has a place", func() bool {
		return len(s.Pods.List(testcluster.And(is(sleeper), testcluster.Bound))) == 1
	})
	return sleeper
}

// createSleeper creates a pod that takes the room of one and does nothing.
func (s *story) createSleeper(name string) *corev1.Pod {
	s.Helper()
	return s.create(s.pod(name, "sleep", "infinity"))
}

func (s *story) create(pod *corev1.Pod) *corev1.Pod {
	s.Helper()
	pod, err := s.Client().CoreV1().Pods(namespace).Create(s.ctx, pod, metav1.CreateOptions{})
	s.must(err)
	return pod
}

// pod is a pod of Spark's image that runs a command, as large as any other here.
func (s *stage) pod(name string, command ...string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace},
		Spec: corev1.PodSpec{
			SchedulerName: testcluster.Muster, RestartPolicy: corev1.RestartPolicyNever,
			Containers: []corev1.Container{{
				Name: "main", Image: s.spark.Dist.ImageName, ImagePullPolicy: corev1.PullNever, Args: command,
				Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{
					corev1.ResourceCPU: s.share, corev1.ResourceMemory: resource.MustParse(podMemory),
				}},
			}},
		},
	}
}
