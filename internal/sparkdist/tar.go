package sparkdist

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"
)

// layerTime is the date of every file in a layer.
var layerTime = time.Unix(0, 0)

// tarWriter writes layers: everything belongs to root and bears one date, so
// that the same content always makes the same layer.
type tarWriter struct {
	*tar.Writer
	made map[string]bool // folders written so far
}

// writeTar makes the tar file dest out of what fill writes.
func writeTar(dest string, fill func(*tarWriter) error) error {
	f, err := os.Create(dest)
	if err != nil {
		return err
	}
	t := &tarWriter{tar.NewWriter(f), map[string]bool{".": true}}
	if err := errors.Join(fill(t), t.Close(), f.Close()); err != nil {
		return fmt.Errorf("write layer %s: %w", filepath.Base(dest), err)
	}
	return nil
}

// dir writes a folder, and those above it, unless they are there.
func (t *tarWriter) dir(name string, mode fs.FileMode) error {
	if t.made[name] {
		return nil
	}
	if err := t.dir(path.Dir(name), 0o755); err != nil {
		return err
	}
	t.made[name] = true
	bits := int64(mode.Perm())
	if mode&fs.ModeSticky != 0 {
		bits |= 0o1000
	}
	return t.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: name + "/", Mode: bits, ModTime: layerTime})
}

func (t *tarWriter) file(name string, content []byte, mode int64) error {
	return t.stream(name, bytes.NewReader(content), int64(len(content)), mode)
}

func (t *tarWriter) stream(name string, r io.Reader, size, mode int64) error {
	if err := t.dir(path.Dir(name), 0o755); err != nil {
		return err
	}
	if err := t.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: mode, Size: size, ModTime: layerTime}); err != nil {
		return err
	}
	_, err := io.Copy(t, r)
	return err
}

// tree writes the files of src below the folder at; keep, where given, chooses.
func (t *tarWriter) tree(src fs.FS, at string, keep func(name string) bool) error {
	return fs.WalkDir(src, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() || (keep != nil && !keep(name)) {
			return nil
		}
		f, err := src.Open(name) // follows links: a layer has plain files only
		if err != nil {
			return err
		}
		defer f.Close()
		info, err := f.Stat()
		if err != nil {
			return err
		}
		mode := int64(0o644)
		if info.Mode()&0o111 != 0 {
			mode = 0o755
		}
		return t.stream(path.Join(at, name), f, info.Size(), mode)
	})
}

// readTarFile returns one file's content out of a tar file.
func readTarFile(archive, name string) ([]byte, error) {
	f, err := os.Open(archive)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	for tr := tar.NewReader(f); ; {
		h, err := tr.Next()
		if err != nil {
			return nil, fmt.Errorf("find %s in %s: %w", name, filepath.Base(archive), err)
		}
		if path.Clean(strings.TrimPrefix(h.Name, "/")) == name {
			return io.ReadAll(tr)
		}
	}
}
