package sparkdist

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
)

// pythonRecipe compiles a folder of Python sources, each to a file beside it, as
// Python looks for it in a zip file. It is taken for good as it is: a zip file's
// times are too coarse to compare. Tests of the packages are left as they are.
var pythonRecipe = []string{"-m", "compileall", "-q", "-b", "--invalidation-mode", "unchecked-hash", "-x", "/tests/"}

// compileLibraries puts the zip files of Spark's Python libraries, with all modules
// compiled, into the folder dest. Each Python process of Spark imports from them, and
// would compile what it imports once more: most of a second of CPU time in every
// driver and executor. A Python of another version than the one that has compiled
// does just that.
func compileLibraries(ctx context.Context, lib, dest string) error {
	archives, err := filepath.Glob(filepath.Join(lib, "*.zip"))
	if err != nil {
		return err
	}
	for _, archive := range archives {
		if err := compileLibrary(ctx, archive, filepath.Join(dest, filepath.Base(archive))); err != nil {
			return fmt.Errorf("compile %s: %w", filepath.Base(archive), err)
		}
	}
	return nil
}

func compileLibrary(ctx context.Context, archive, dest string) error {
	dir, err := os.MkdirTemp(filepath.Dir(dest), "python"+tempMark)
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	source, err := zip.OpenReader(archive)
	if err != nil {
		return err
	}
	defer source.Close()
	if err := os.CopyFS(dir, source); err != nil {
		return err
	}
	// The file names are for tracebacks.
	at := sparkHome + "/python/lib/" + filepath.Base(archive)
	args := slices.Concat(pythonRecipe, []string{"-s", dir, "-p", at, dir})
	if err := run(exec.CommandContext(ctx, "python3", args...)); err != nil {
		return err
	}
	return writeZip(dest, dir)
}

// writeZip makes a zip file of a folder.
func writeZip(dest, dir string) error {
	f, err := os.Create(dest)
	if err != nil {
		return err
	}
	z := zip.NewWriter(f)
	return errors.Join(z.AddFS(os.DirFS(dir)), z.Close(), f.Close())
}
