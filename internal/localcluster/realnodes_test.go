package localcluster_test

import (
	"archive/tar"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"

	"muster.sh/muster/internal/localcluster"
)

func TestRealNodes(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a whole cluster: not with -short")
	}
	dir := t.TempDir()
	if missing := localcluster.MissingForNodes(t.Context(), dir); len(missing) > 0 {
		t.Skip(missing)
	}
	ctx, cluster := start(t, localcluster.Spec{Dir: dir, Nodes: 1, SimNodes: 1})
	archive := filepath.Join(t.TempDir(), "image.tar")
	writeImage(t, archive, "muster.local/test:1")
	if nodes, err := localcluster.LoadImage(ctx, dir, archive); err != nil || nodes != 1 {
		t.Fatalf("loaded on %d nodes: %v", nodes, err)
	}
	client := cluster.Client()
	run := func(t *testing.T, client kubernetes.Interface, name string) {
		t.Helper()
		pod := smallPod(name)
		pod.Spec.NodeName = cluster.RealNodes()[0]
		pod.Spec.Containers[0].Image = "muster.local/test:1"
		pod.Spec.Containers[0].ImagePullPolicy = corev1.PullNever
		pod.Spec.Containers[0].Resources = corev1.ResourceRequirements{}
		createPod(ctx, t, client, pod)
		awaitPhase(ctx, t, client, name, corev1.PodRunning)
	}
	run(t, client, "first")

	t.Run("simulated nodes beside it run pods as well", func(t *testing.T) {
		pod := smallPod("simulated")
		pod.Spec.NodeSelector = map[string]string{localcluster.SimulatedLabel: "true"}
		createPod(ctx, t, client, pod)
		awaitPhase(ctx, t, client, "simulated", corev1.PodRunning)
	})
	t.Run("a node that was switched off comes back with its images", func(t *testing.T) {
		node := cluster.RealNodes()[0]
		if err := cluster.StopNode(node); err != nil {
			t.Fatal(err)
		}
		if err := cluster.StartNode(ctx, node); err != nil {
			t.Fatal(err)
		}
		run(t, client, "second")
	})
	if err := cluster.Close(); err != nil {
		t.Fatal(err)
	}
	if left := processesNaming(t, dir); len(left) > 0 {
		t.Errorf("processes are left: %v", left)
	}
	if _, err := os.Stat(filepath.Join(dir, "nodes")); !os.IsNotExist(err) {
		t.Errorf("the nodes' files are left: %v", err)
	}
}

func diffIDs(t *testing.T, layer v1.Layer) []v1.Hash {
	t.Helper()
	id, err := layer.DiffID()
	if err != nil {
		t.Fatal(err)
	}
	return []v1.Hash{id}
}

// writeImage makes an archive with an image whose one program waits for ever.
func writeImage(t *testing.T, archive, reference string) {
	t.Helper()
	dir := t.TempDir()
	source := filepath.Join(dir, "main.go")
	if err := os.WriteFile(source, []byte("package main\n\nimport \"time\"\n\nfunc main() {\n\tfor {\n\t\ttime.Sleep(time.Hour)\n\t}\n}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "wait")
	build := exec.CommandContext(t.Context(), "go", "build", "-ldflags", "-s -w", "-o", program, source)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the image's program: %v\n%s", err, output)
	}
	content, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	var layer bytes.Buffer
	files := tar.NewWriter(&layer)
	if err := files.WriteHeader(&tar.Header{Name: "wait", Mode: 0o755, Size: int64(len(content)), Typeflag: tar.TypeReg}); err != nil {
		t.Fatal(err)
	}
	if _, err := files.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := files.Close(); err != nil {
		t.Fatal(err)
	}
	layerFile := filepath.Join(dir, "layer.tar")
	if err := os.WriteFile(layerFile, layer.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	added, err := tarball.LayerFromFile(layerFile)
	if err != nil {
		t.Fatal(err)
	}
	image, err := mutate.AppendLayers(empty.Image, added)
	if err != nil {
		t.Fatal(err)
	}
	image, err = mutate.ConfigFile(image, &v1.ConfigFile{
		OS: "linux", Architecture: runtime.GOARCH, // images of other platforms are not unpacked
		RootFS: v1.RootFS{Type: "layers", DiffIDs: diffIDs(t, added)},
		Config: v1.Config{Entrypoint: []string{"/wait"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	tag, err := name.NewTag(reference)
	if err != nil {
		t.Fatal(err)
	}
	if err := tarball.WriteToFile(archive, tag, image); err != nil {
		t.Fatal(err)
	}
}
