package sparkdist

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// unpackHome lays the source package of PySpark out as a SPARK_HOME. Nothing is
// compiled: the package's own folders only have to be put where Spark's scripts
// look for them.
func unpackHome(ctx context.Context, sdist, home string, done func(int64)) error {
	return walkArchive(ctx, sdist, done, func(h *tar.Header, r io.Reader) error {
		rel, ok := homePath(h.Name)
		if !ok || h.Typeflag != tar.TypeReg {
			return nil
		}
		mode := os.FileMode(0o644)
		if strings.HasPrefix(rel, "bin/") || strings.HasPrefix(rel, "sbin/") {
			mode = 0o755 // the package has lost the executable bits
		}
		return writeFile(filepath.Join(home, rel), r, mode)
	})
}

// homePath maps a path in the source package to its path in a SPARK_HOME; ok is
// false for what a distribution doesn't have (the packaging itself).
func homePath(name string) (rel string, ok bool) {
	_, rest, found := strings.Cut(name, "/") // the folder pyspark-VERSION
	if !found || !filepath.IsLocal(rest) {
		return "", false
	}
	top, below, found := strings.Cut(rest, "/")
	switch {
	case !found && (top == "LICENSE" || top == "NOTICE"):
		return top, true
	case !found:
		return "", false
	case top == "deps":
		return below, true
	case top == "lib", top == "pyspark":
		return "python/" + rest, true
	}
	return "", false
}

// walkArchive calls visit for each entry of a .tar.gz file, and done with the
// bytes of the file that have been read so far.
func walkArchive(ctx context.Context, path string, done func(int64), visit func(*tar.Header, io.Reader) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	zr, err := gzip.NewReader(f)
	if err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	tr := tar.NewReader(zr)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("read %s: %w", path, err)
		}
		if err := visit(h, tr); err != nil {
			return fmt.Errorf("unpack %s: %w", h.Name, err)
		}
		if at, err := f.Seek(0, io.SeekCurrent); err == nil {
			done(at)
		}
	}
}

// writeFile writes r to path and makes the folders above it.
func writeFile(path string, r io.Reader, mode os.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	return errors.Join(err, f.Close())
}
