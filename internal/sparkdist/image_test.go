package sparkdist

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

func TestJarsOfTheImage(t *testing.T) {
	for _, c := range []struct {
		name string
		drop bool
	}{
		{"spark-mllib-local_2.13-4.3.0.jar", true},
		{"breeze_2.13-2.1.0.jar", true},
		{"spark-connect_2.13-4.3.0.jar", true},
		{"connect-repl/scala-library-2.13.18.jar", true},
		{"netty-transport-native-kqueue-4.2.13.Final-osx-x86_64.jar", true},
		{"netty-transport-native-epoll-4.2.13.Final-linux-riscv64.jar", true},
		{"spark-kubernetes_2.13-4.3.0.jar", false},
		{"arrow-vector-19.0.0.jar", false},
		{"flatbuffers-java-25.2.10.jar", false},
		{"hadoop-client-api-3.5.0.jar", false},
		{"spark-submit", false},
	} {
		if got := droppedJar(c.name, batchDropJars); got != c.drop {
			t.Errorf("droppedJar(%q) = %v, want %v", c.name, got, c.drop)
		}
	}
}

func TestSparkLayer(t *testing.T) {
	home, dir := t.TempDir(), t.TempDir()
	for path, mode := range map[string]os.FileMode{
		"bin/spark-submit": 0o755, "bin/spark-submit.cmd": 0o755, "jars/spark-core.jar": 0o644,
		"jars/breeze_2.13.jar": 0o644, "examples/src/pi.py": 0o644, "LICENSE": 0o644,
	} {
		if err := writeFile(filepath.Join(home, path), strings.NewReader(path), mode); err != nil {
			t.Fatal(err)
		}
	}
	writePythonLibrary(t, filepath.Join(home, "python", "lib", "pyspark.zip"))
	rootfs, layer := filepath.Join(dir, "rootfs.tar"), filepath.Join(dir, "spark.tar")
	err := writeTar(rootfs, func(w *tarWriter) error { return w.file("etc/passwd", []byte("root:x:0:0::/root:/bin/bash\n"), 0o644) })
	if err != nil {
		t.Fatal(err)
	}
	if err := buildSpark(t.Context(), home, rootfs, batchDropJars, layer); err != nil {
		t.Fatal(err)
	}

	files := readTar(t, layer)
	for name, mode := range map[string]int64{
		"opt/spark/bin/spark-submit": 0o755, "opt/spark/jars/spark-core.jar": 0o644, "opt/spark/python/lib/pyspark.zip": 0o644,
		"opt/spark/LICENSE": 0o644, "opt/entrypoint.sh": 0o755, "opt/spark/work-dir/": 0o1777, "etc/passwd": 0o644,
	} {
		if f, ok := files[name]; !ok || f.header.Mode != mode {
			t.Errorf("%s: in the layer %v, mode %o; want mode %o", name, ok, f.header.Mode, mode)
		}
	}
	for _, name := range []string{"opt/spark/bin/spark-submit.cmd", "opt/spark/jars/breeze_2.13.jar", "opt/spark/examples/src/pi.py"} {
		if _, ok := files[name]; ok {
			t.Errorf("%s is in the layer", name)
		}
	}
	const users = "root:x:0:0::/root:/bin/bash\nspark:x:185:0:Spark:/opt/spark/work-dir:/bin/bash\n"
	if got := files["etc/passwd"].content; got != users {
		t.Errorf("users are %q, want %q", got, users)
	}
}

func TestTheSameFilesMakeTheSameLayer(t *testing.T) {
	dir := t.TempDir()
	var layers [2][]byte
	for i, date := range []time.Time{time.Unix(1, 0), time.Unix(2, 0)} {
		tree := fstest.MapFS{
			"a/b/file": {Data: []byte("x"), Mode: 0o664, ModTime: date},
			"a/tool":   {Data: []byte("y"), Mode: 0o711, ModTime: date},
		}
		path := filepath.Join(dir, "layer.tar")
		if err := buildTree(tree, "/opt/app", path); err != nil {
			t.Fatal(err)
		}
		var err error
		if layers[i], err = os.ReadFile(path); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(layers[0], layers[1]) {
		t.Error("two layers of the same files differ")
	}
	var order []string
	for tr := tar.NewReader(bytes.NewReader(layers[0])); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		order = append(order, h.Name)
		if h.Uid != 0 || h.Gid != 0 {
			t.Errorf("%s belongs to %d:%d, want root", h.Name, h.Uid, h.Gid)
		}
	}
	want := []string{"opt/", "opt/app/", "opt/app/a/", "opt/app/a/b/", "opt/app/a/b/file", "opt/app/a/tool"}
	if !slices.Equal(order, want) {
		t.Errorf("entries are %v, want %v: each folder once, before what is in it", order, want)
	}
}

func TestImageReadsBack(t *testing.T) {
	dir := t.TempDir()
	var layers []string
	for _, name := range []string{"lower", "upper"} {
		path := filepath.Join(dir, name)
		if err := buildTree(fstest.MapFS{name: {Data: []byte(name)}}, "/opt", path); err != nil {
			t.Fatal(err)
		}
		layers = append(layers, path)
	}
	dest := filepath.Join(dir, "image.tar")
	if err := writeImage(dest, "muster.local/spark:test", layers, func(int64) {}); err != nil {
		t.Fatal(err)
	}
	img, err := tarball.ImageFromPath(dest, nil)
	if err != nil {
		t.Fatal(err)
	}
	file, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(file.Config, imageConfig) || file.OS != "linux" {
		t.Errorf("config is %+v for %s, want %+v", file.Config, file.OS, imageConfig)
	}
	if len(file.RootFS.DiffIDs) != len(layers) {
		t.Fatalf("image has %d layers, want %d", len(file.RootFS.DiffIDs), len(layers))
	}
	for i, path := range layers {
		layer, err := newPlainLayer(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := file.RootFS.DiffIDs[i]; got != layer.hash {
			t.Errorf("layer %d is %v, want %v", i, got, layer.hash)
		}
	}
}

func TestAnotherApplicationRebuildsItsLayerOnly(t *testing.T) {
	var steps []string
	b := builder{
		cache: cache{t.TempDir()}, Options: Options{Line: Spark430}, jdk: "/jdk", jdkVersion: "17",
		progress: func(e Event) {
			if e.Ended {
				steps = append(steps, e.Step)
			}
		},
	}
	d := Dist{Version: b.Line.Version, ImageName: "muster.local/spark:test"}
	base, err := b.parts(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range base { // as if the lower layers had been built before
		if err := os.MkdirAll(b.path("layers"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := buildTree(fstest.MapFS{p.name: {}}, "/", b.layerPath(p)); err != nil {
			t.Fatal(err)
		}
	}
	build := func(app fs.FS) (tar string, did []string) {
		steps, b.App = nil, app
		tar, err := b.image(t.Context(), d)
		if err != nil {
			t.Fatal(err)
		}
		return tar, steps
	}
	both := []string{"pack the application", "assemble image muster.local/spark:test"}
	first, did := build(fstest.MapFS{"job.py": {Data: []byte("1")}})
	if !slices.Equal(did, both) {
		t.Errorf("the first build did %v, want %v", did, both)
	}
	again, did := build(fstest.MapFS{"job.py": {Data: []byte("1")}})
	if len(did) != 0 || again != first {
		t.Errorf("the same build did %v and made %s, want nothing and %s", did, again, first)
	}
	other, did := build(fstest.MapFS{"job.py": {Data: []byte("2")}})
	if !slices.Equal(did, both) || other == first {
		t.Errorf("another application did %v and made %s, want %v and another file", did, other, both)
	}
}

type tarred struct {
	header  *tar.Header
	content string
}

func readTar(t *testing.T, path string) map[string]tarred {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	files := map[string]tarred{}
	for tr := tar.NewReader(f); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return files
		} else if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(tr)
		if err != nil {
			t.Fatal(err)
		}
		files[h.Name] = tarred{h, string(content)}
	}
}
