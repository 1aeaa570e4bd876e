package tensorflow

import (
	"bytes"
	_ "embed"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	kubeflow "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"

	"muster.sh/muster/test/testcluster"
)

// surroundings are what upstream's samples take to be there.
//
//go:embed surroundings.yaml
var surroundings []byte

// samples runs the TFJobs of upstream's examples, as they are in its module.
func samples(s *story) {
	if err := s.Apply(s.ctx, s.decode(surroundings)...); err != nil {
		s.Fatal(err)
	}
	for file, sample := range map[string]struct {
		pods int
		end  string // the pod with which the job ends
	}{
		"simple.yaml":                                   {2, "worker-0"},
		"dist-mnist/tf_job_mnist.yaml":                  {4, "chief-0"},
		"distribution_strategy/multi_worker_tfjob.yaml": {2, "worker-0"},
		"mnist_with_summaries/tf_job_mnist.yaml":        {1, "worker-0"},
	} {
		objects := s.decode(s.read(file))
		if len(objects) != 1 || objects[0].GetKind() != kubeflow.TFJobKind {
			s.Fatalf("%s has %v", file, objects)
		}
		if err := s.Apply(s.ctx, objects...); err != nil {
			s.Fatal(err)
		}
		name := objects[0].GetName()
		s.awaitPods(name, "run", sample.pods, runs)
		s.exit(s.pod(name+"-"+sample.end), 0)
		s.awaitSample(objects[0])
	}
}

// awaitSample waits until a sample has succeeded, and removes it.
func (s *story) awaitSample(sample *unstructured.Unstructured) {
	s.Helper()
	namespace := sample.GetNamespace()
	if namespace == "" {
		namespace = testcluster.Namespace
	}
	s.await(sample.GetName(), kubeflow.JobSucceeded)
	s.remove(namespace, sample.GetName())
}

// read reads a file of upstream's examples.
func (s *story) read(file string) []byte {
	s.Helper()
	const module = "github.com/kubeflow/training-operator"
	dir, err := exec.CommandContext(s.ctx, "go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	if err != nil {
		s.Fatalf("find module %s: %v", module, err)
	}
	data, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "examples", "tensorflow", file))
	if err != nil {
		s.Fatal(err)
	}
	return data
}

func (s *story) decode(manifest []byte) []*unstructured.Unstructured {
	s.Helper()
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(manifest), 4096)
	var objects []*unstructured.Unstructured
	for {
		u := &unstructured.Unstructured{}
		err := decoder.Decode(&u.Object)
		if errors.Is(err, io.EOF) {
			return objects
		}
		if err != nil {
			s.Fatal(err)
		}
		objects = append(objects, u)
	}
}

const guide = "../../docs/tensorflow.md"

// exampleOfTheGuide runs what the guide shows; nothing but the simulation's own
// annotation is added to it.
func exampleOfTheGuide(s *story) {
	jobs := testcluster.Examples(s.T, guide, kubeflow.TFJobKind)
	if len(jobs) == 0 {
		s.Fatal("the guide shows no TFJob")
	}
	for _, u := range jobs {
		if err := s.Apply(s.ctx, u); err != nil {
			s.Fatal(err)
		}
		name := u.GetName()
		s.await(name, kubeflow.JobRunning)
		s.exit(s.pod(name+"-chief-0"), 0)
		s.awaitSample(u)
	}
}
