package spark

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/kubeflow/spark-operator/v2/api/v1beta2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"muster.sh/muster/test/testcluster"
)

const (
	// historyServer is where Muster's chart has the history server, in the namespace of the
	// stories.
	historyServer = "http://muster-spark-history." + namespace + ":18080"

	// operatorsConfig is what the chart tells the operators of it.
	operatorsConfig = `apiVersion: config.muster.sh/v1alpha1
kind: OperatorsConfiguration
spark: {historyServer: "` + historyServer + `"}
`

	// events is the claim of the volume that drivers write their events to, and the history
	// server reads them from; both see it in a folder.
	events       = "spark-events"
	eventsFolder = "/var/log/spark-events"
)

// deployHistoryServer has the chart deploy Spark's history server, and returns what
// removes it.
func (s *story) deployHistoryServer() (remove func()) {
	s.Helper()
	s.claimEvents()
	args := []string{"template", "muster", filepath.Join("..", "..", "charts", "muster"), "--namespace", namespace, "--show-only", "templates/spark-history.yaml"}
	for _, value := range []string{
		`image.repository="nobody/asks"`, `historyServer.enabled=true`, `historyServer.image="` + s.spark.Dist.ImageName + `"`,
		`historyServer.pullPolicy="Never"`, `historyServer.volume={"persistentVolumeClaim":{"claimName":"` + events + `"}}`,
		`historyServer.sparkConf={"spark.history.fs.update.interval":"1s"}`, `historyServer.memory="512m"`, `historyServer.resources.requests.memory="` + podMemory + `"`,
	} {
		args = append(args, "--set-json", value)
	}
	text, err := exec.CommandContext(s.ctx, s.helm, args...).Output()
	s.must(err)
	objects, err := testcluster.Objects(string(text), "ConfigMap", "Service", "Deployment")
	s.must(err)
	s.must(s.Apply(s.ctx, objects...))
	return func() {
		s.Helper()
		for _, object := range objects {
			s.must(s.SparkClient(s.T).Delete(s.ctx, object))
		}
	}
}

// claimEvents claims a volume that all nodes can write to, as one on a network would be.
func (s *story) claimEvents() {
	s.Helper()
	path := filepath.Join(s.shared, events)
	s.must(os.Mkdir(path, 0o777))
	s.must(os.Chmod(path, 0o777)) // whatever the umask is
	size := corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")}
	_, err := s.Client().CoreV1().PersistentVolumes().Create(s.ctx, &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: events},
		Spec: corev1.PersistentVolumeSpec{
			Capacity: size, AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteMany},
			PersistentVolumeSource: corev1.PersistentVolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: path}},
			ClaimRef:               &corev1.ObjectReference{Namespace: namespace, Name: events},
		},
	}, metav1.CreateOptions{})
	s.must(err)
	_, err = s.Client().CoreV1().PersistentVolumeClaims(namespace).Create(s.ctx, &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Name: events},
		Spec: corev1.PersistentVolumeClaimSpec{
			AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteMany}, StorageClassName: ptr.To(""), VolumeName: events,
			Resources: corev1.VolumeResourceRequirements{Requests: size},
		},
	}, metav1.CreateOptions{})
	s.must(err)
}

// tellsEvents has an application write its events to the volume.
func tellsEvents(app *v1beta2.SparkApplication) {
	app.Spec.SparkConf["spark.eventLog.enabled"] = "true"
	app.Spec.SparkConf["spark.eventLog.dir"] = "file:" + eventsFolder
	app.Spec.Volumes = []corev1.Volume{{Name: "events", VolumeSource: corev1.VolumeSource{
		PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: events},
	}}}
	app.Spec.Driver.VolumeMounts = []corev1.VolumeMount{{Name: "events", MountPath: eventsFolder}}
}

// requireHistory requires that the link of an application that has ended leads to what it
// did, and that the command names it.
func (s *story) requireHistory(app *v1beta2.SparkApplication) {
	s.Helper()
	id := app.Status.SparkApplicationID
	link := historyServer + "/history/" + id + "/"
	if got := app.Status.DriverInfo.WebUIAddress; got != link {
		s.Errorf("its link leads to %s, want %s", got, link)
	}
	if err := s.muster(s.ctx, s.Output(), "ui", app.Name); err == nil || !strings.Contains(err.Error(), link) {
		s.Errorf("muster ui says %v, want it to name %s", err, link)
	}
	reader := s.pod("reader", "python3", s.inPods("ask.py"),
		historyServer+"/api/v1/applications/"+id, `"completed" : true`,
		app.Status.DriverInfo.WebUIAddress, app.Name+" - Spark Jobs")
	mount(reader, s.shared, folder)
	s.end(s.create(reader))
}
