package node

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// PauseImage is the name of the image that holds a pod's namespaces open.
const PauseImage = "muster.local/pause:1"

// pauseArchive makes that image, as an archive to import.
func pauseArchive(program string) ([]byte, error) {
	return programArchive(PauseImage, program)
}

// programArchive makes an image with nothing in it but a static program.
func programArchive(image, program string) ([]byte, error) {
	binary, err := os.ReadFile(program)
	if err != nil {
		return nil, err
	}
	entry := "/" + filepath.Base(program)
	var files bytes.Buffer
	writer := tar.NewWriter(&files)
	if err := writer.WriteHeader(&tar.Header{Name: entry[1:], Mode: 0o755, Size: int64(len(binary))}); err != nil {
		return nil, err
	}
	if _, err := writer.Write(binary); err != nil {
		return nil, err
	}
	if err := writer.Close(); err != nil {
		return nil, err
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(files.Bytes())), nil
	})
	if err != nil {
		return nil, err
	}
	content, err := mutate.AppendLayers(empty.Image, layer)
	if err != nil {
		return nil, err
	}
	config, err := content.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", runtime.GOARCH
	config.Config.Entrypoint = []string{entry}
	if content, err = mutate.ConfigFile(content, config); err != nil {
		return nil, err
	}
	tag, err := name.NewTag(image)
	if err != nil {
		return nil, fmt.Errorf("name image %s: %w", image, err)
	}
	var archive bytes.Buffer
	err = tarball.Write(tag, content, &archive)
	return archive.Bytes(), err
}
