package tensorflow

import (
	"bufio"
	"encoding/json"
	"os"
	"path"
	"path/filepath"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"
	kubeflow "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"muster.sh/muster/api/v1alpha1"
	"muster.sh/muster/internal/sparkdist"
	"muster.sh/muster/test/testcluster"
)

// training is a story with real TensorFlow on real nodes.
type training struct {
	*story
	image     string
	libraries string // folder on this machine and all nodes
	shared    string // the same, for programs and what they write
}

// Where pods see the two: they have a user who may not enter everybody's folders.
const (
	librariesPath = "/opt/libraries"
	sharedPath    = "/opt/shared"
)

func TestTensorFlowTrains(t *testing.T) {
	if os.Getenv("MUSTER_TEST_TENSORFLOW") == "" {
		t.Skip("fetches 1.5 GB of libraries and trains for minutes: set MUSTER_TEST_TENSORFLOW=1 to run it")
	}
	ctx := testcluster.Within(t, 20*time.Minute)
	s := &training{libraries: testcluster.PythonLibraries(ctx, t, "tensorflow", filepath.Join("testdata", "requirements.txt")), shared: sharedFolder(t)}
	c := testcluster.StartReal(ctx, t, testcluster.RealSpec{
		Nodes: 2, SharedFolders: []string{s.libraries, s.shared}, Operators: true,
	})
	// The image is the demo's, of which only Debian's Python is used.
	dist, err := sparkdist.Ensure(ctx, sparkdist.Options{App: os.DirFS(filepath.Join("..", "..", "demo", "app"))}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.LoadImage(ctx, dist.ImageTar); err != nil {
		t.Fatal(err)
	}
	s.image = dist.ImageName
	for _, part := range []struct {
		name string
		tell func(*training)
	}{
		{"workers that mirror each other go on from a checkpoint when one is killed", mirrored},
		{"workers with a parameter server", parameterServer},
	} {
		t.Run(part.name, func(t *testing.T) {
			s.story = &story{t, c, ctx}
			part.tell(s)
		})
	}
	c.RequireNoFault(t, 0)
}

func sharedFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	program, err := os.ReadFile(filepath.Join("testdata", "train.py"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "train.py"), program, 0o644); err != nil {
		t.Fatal(err)
	}
	// In a pod another user writes to it.
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	return dir
}

// train submits a job that trains one way, and returns the folder that it writes to.
func (s *training) train(name, way string, replicas map[kubeflow.ReplicaType]int32) string {
	s.Helper()
	folder := filepath.Join(s.shared, name)
	if err := os.Mkdir(folder, 0o777); err != nil {
		s.Fatal(err)
	}
	if err := os.Chmod(folder, 0o777); err != nil { // whatever the umask says
		s.Fatal(err)
	}
	s.submit(job(name, replicas, func(j *kubeflow.TFJob) {
		j.Spec.RunPolicy.CleanPodPolicy = ptr.To(kubeflow.CleanPodPolicyAll)
		j.Spec.RunPolicy.BackoffLimit = ptr.To[int32](10)
		for _, spec := range j.Spec.TFReplicaSpecs {
			spec.RestartPolicy = kubeflow.RestartPolicyExitCode
			spec.Template.Spec = s.replica(way, path.Join(sharedPath, name))
		}
	}))
	return folder
}

func (s *training) replica(way, folder string) corev1.PodSpec {
	var volumes []corev1.Volume
	var mounts []corev1.VolumeMount
	for folder, at := range map[string]string{s.libraries: librariesPath, s.shared: sharedPath} {
		name := path.Base(at)
		volumes = append(volumes, corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: folder}}})
		mounts = append(mounts, corev1.VolumeMount{Name: name, MountPath: at, ReadOnly: at == librariesPath})
	}
	digits := path.Join(librariesPath, "sklearn", "datasets", "data", "digits.csv.gz")
	return corev1.PodSpec{
		Volumes: volumes,
		// What has died needs no time to say farewell.
		TerminationGracePeriodSeconds: ptr.To[int64](1),
		Containers: []corev1.Container{{
			Name: kubeflow.TFJobDefaultContainerName, Image: s.image, ImagePullPolicy: corev1.PullNever,
			Command: []string{"python3", path.Join(sharedPath, "train.py"), way, digits, folder},
			Env: []corev1.EnvVar{
				{Name: "PYTHONPATH", Value: librariesPath}, {Name: "PYTHONDONTWRITEBYTECODE", Value: "1"},
				{Name: "CUDA_VISIBLE_DEVICES"}, {Name: "TF_CPP_MIN_LOG_LEVEL", Value: "1"},
			},
			VolumeMounts: mounts,
			Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{
				corev1.ResourceCPU: resource.MustParse("200m"), corev1.ResourceMemory: resource.MustParse("256Mi"),
			}},
		}},
	}
}

// steps are how many the program makes.
const steps = 300

func mirrored(s *training) {
	folder := s.train("mirrored", "mirrored", map[kubeflow.ReplicaType]int32{"Chief": 1, "Worker": 2})
	checkpoint := filepath.Join(folder, "checkpoints", "checkpoint")
	s.awaitFile(folder, "there is a checkpoint", func() bool { _, err := os.Stat(checkpoint); return err == nil })
	err := s.Client().CoreV1().Pods(testcluster.Namespace).Delete(s.ctx, "mirrored-worker-1", metav1.DeleteOptions{GracePeriodSeconds: ptr.To[int64](0)})
	if err != nil {
		s.Fatal(err)
	}
	s.await("mirrored", kubeflow.JobSucceeded)
	starts := 0
	for _, l := range s.requireFalling(folder) {
		if l.Step == 0 {
			starts++
		}
	}
	if starts != 1 {
		s.Errorf("it has begun %d times, and not gone on from the checkpoint", starts)
	}
	job, err := s.Dynamic.Resource(tfJobs).Namespace(testcluster.Namespace).Get(s.ctx, "mirrored", metav1.GetOptions{})
	if err != nil {
		s.Fatal(err)
	}
	// The others fail with the one that is gone.
	if job.GetAnnotations()[v1alpha1.RestartsAnnotation] == "" {
		s.Error("nothing was lost with the worker")
	}
	s.awaitNoPods("mirrored")
}

func parameterServer(s *training) {
	folder := s.train("served", "parameter-server", map[kubeflow.ReplicaType]int32{"Chief": 1, "PS": 1, "Worker": 2})
	s.await("served", kubeflow.JobSucceeded)
	s.requireFalling(folder)
	s.awaitNoPods("served")
}

// loss is what the chief writes after each step.
type loss struct {
	Step int     `json:"step"`
	Loss float64 `json:"loss"`
}

// requireFalling reads the losses of a whole training.
func (s *training) requireFalling(folder string) []loss {
	s.Helper()
	file, err := os.Open(filepath.Join(folder, "losses"))
	if err != nil {
		s.Fatal(err)
	}
	defer file.Close()
	var losses []loss
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var l loss
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			s.Fatal(err)
		}
		losses = append(losses, l)
	}
	first, last := losses[0], losses[len(losses)-1]
	s.Logf("the loss fell from %.3f to %.3f in %d steps, %d with those done twice", first.Loss, last.Loss, last.Step+1, len(losses))
	if last.Step != steps-1 || last.Loss > first.Loss/4 {
		s.Errorf("the training ended with %+v", last)
	}
	return losses
}

// awaitFile waits until something holds that is asked at every change in a folder.
func (s *training) awaitFile(folder, what string, holds func() bool) {
	s.Helper()
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		s.Fatal(err)
	}
	defer watcher.Close()
	if err := watcher.Add(folder); err != nil {
		s.Fatal(err)
	}
	for !holds() {
		select {
		case <-watcher.Events:
		case err := <-watcher.Errors:
			s.Fatal(err)
		case <-s.ctx.Done():
			s.Fatalf("wait until %s: %v", what, s.ctx.Err())
		}
	}
}
