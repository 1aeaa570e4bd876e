package sparkdist

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Where things are in the image.
const (
	// AppPath holds the files of [Options.App].
	AppPath = "/opt/app"
	// DataPath holds the data sets.
	DataPath = "/opt/data"

	sparkHome      = "/opt/spark"
	jreHome        = "/opt/jre"
	workDir        = sparkHome + "/work-dir"
	entrypointPath = "/opt/entrypoint.sh"
	sparkUID       = 185 // the user of Spark's own images
)

// imageConfig is how containers of the image start.
var imageConfig = v1.Config{
	Entrypoint: []string{entrypointPath},
	User:       fmt.Sprint(sparkUID),
	WorkingDir: workDir,
	Env: []string{
		"PATH=" + jreHome + "/bin:" + sparkHome + "/bin:/usr/local/bin:/usr/bin:/bin",
		"SPARK_HOME=" + sparkHome,
		"JAVA_HOME=" + jreHome,
		"PYSPARK_PYTHON=python3",
	},
}

// writeImage assembles layers into a tar file as docker save makes it, which
// every container runtime imports. done is told of the bytes written.
func writeImage(dest, ref string, layers []string, done func(int64)) error {
	tag, err := name.NewTag(ref)
	if err != nil {
		return fmt.Errorf("image name %q: %w", ref, err)
	}
	parts := make([]v1.Layer, len(layers))
	for i, path := range layers {
		if parts[i], err = newPlainLayer(path); err != nil {
			return err
		}
	}
	img, err := mutate.AppendLayers(empty.Image, parts...)
	if err != nil {
		return fmt.Errorf("assemble %s: %w", ref, err)
	}
	file, err := img.ConfigFile()
	if err != nil {
		return err
	}
	file = file.DeepCopy()
	file.OS, file.Architecture, file.Config = "linux", runtime.GOARCH, imageConfig
	if img, err = mutate.ConfigFile(img, file); err != nil {
		return fmt.Errorf("configure %s: %w", ref, err)
	}
	out, err := os.Create(dest)
	if err != nil {
		return err
	}
	err = tarball.Write(tag, img, &countingWriter{w: out, done: done})
	if err = errors.Join(err, out.Close()); err != nil {
		return fmt.Errorf("write %s: %w", ref, err)
	}
	return nil
}

// plainLayer is a layer kept and shipped uncompressed. The image travels from
// this machine's cache to nodes on this same machine, and nearly all of it is
// jars, which are compressed already: packing it would cost more time than all
// that is done with it.
type plainLayer struct {
	path string
	hash v1.Hash
	size int64
}

func newPlainLayer(path string) (*plainLayer, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, f)
	if err != nil {
		return nil, fmt.Errorf("read layer: %w", err)
	}
	return &plainLayer{path, v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(h.Sum(nil))}, n}, nil
}

// Digest implements v1.Layer.
func (l *plainLayer) Digest() (v1.Hash, error) { return l.hash, nil }

// DiffID implements v1.Layer.
func (l *plainLayer) DiffID() (v1.Hash, error) { return l.hash, nil }

// Compressed implements v1.Layer; it is what gets written into images.
func (l *plainLayer) Compressed() (io.ReadCloser, error) { return os.Open(l.path) }

// Uncompressed implements v1.Layer.
func (l *plainLayer) Uncompressed() (io.ReadCloser, error) { return os.Open(l.path) }

// Size implements v1.Layer.
func (l *plainLayer) Size() (int64, error) { return l.size, nil }

// MediaType implements v1.Layer.
func (l *plainLayer) MediaType() (types.MediaType, error) { return types.DockerUncompressedLayer, nil }

// countingWriter tells done how much has been written, each few megabytes.
type countingWriter struct {
	w        io.Writer
	done     func(int64)
	n, shown int64
}

func (c *countingWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	if c.n += int64(n); c.n-c.shown > 4<<20 {
		c.shown = c.n
		c.done(c.n)
	}
	return n, err
}
