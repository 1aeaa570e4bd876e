package spark

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

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
	blocker := s.createSleeper("blocker")
	s.await("the blocker runs", func() bool {
		return len(s.Pods.List(testcluster.And(is(blocker), testcluster.Running))) == 1
	})
	s.prepare(app)
	driver := s.createClient(app)
	s.await("the executors wait for room", func() bool {
		return len(s.executors(app, anyPod)) == full && len(s.executors(app, waits)) > 0
	})
	// There is room for two of the three.
	s.requireUnbound(app)
	s.deleteAtOnce(blocker)
	s.meet(app, 0)()
	s.await("the driver has ended", func() bool {
		return len(s.Pods.List(testcluster.And(is(driver), testcluster.Ended))) == 1
	})
	s.requireResults(driver.Name, app)
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
	pod := s.pod(a.name, s.clientCommand(a)...)
	pod.Labels = labels
	pod.Spec.ServiceAccountName = sparksubmit.DriverAccount
	container := &pod.Spec.Containers[0]
	container.Env = []corev1.EnvVar{{Name: "POD_IP", ValueFrom: &corev1.EnvVarSource{
		FieldRef: &corev1.ObjectFieldSelector{FieldPath: "status.podIP"},
	}}}
	container.VolumeMounts = []corev1.VolumeMount{{Name: "stories", MountPath: folder}}
	pod.Spec.Volumes = []corev1.Volume{{Name: "stories", VolumeSource: corev1.VolumeSource{
		HostPath: &corev1.HostPathVolumeSource{Path: s.shared, Type: ptr.To(corev1.HostPathDirectory)},
	}}}
	return s.create(pod)
}

func (s *stage) clientCommand(a application) []string {
	command := []string{"/opt/spark/bin/spark-submit", "--master", "k8s://https://kubernetes.default.svc", "--deploy-mode", "client", "--name", a.name}
	for _, setting := range slices.Concat(sparksubmit.Frugal(s.spark.Dist.ImageName), s.settings(a), []sparksubmit.Setting{
		{Key: "spark.kubernetes.namespace", Value: namespace},
		{Key: "spark.kubernetes.driver.pod.name", Value: a.name},
		{Key: "spark.driver.host", Value: a.name + "." + namespace + ".svc"},
		{Key: "spark.driver.bindAddress", Value: "$(POD_IP)"},
		{Key: "spark.driver.port", Value: driverPort},
		{Key: "spark.driver.blockManager.port", Value: blockManagerPort},
	}) {
		command = append(command, "--conf", setting.Key+"="+setting.Value)
	}
	return slices.Concat(command, []string{s.inPods("parts.py")}, s.arguments(a))
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
