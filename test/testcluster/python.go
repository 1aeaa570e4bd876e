package testcluster

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

// PythonFolder is the folder of this machine that Python libraries are kept in. Real
// nodes that share it see what is fetched later, too.
func PythonFolder(t *testing.T) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(cache, "muster", "python")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// PythonLibraries returns the folder with the Python libraries that a file of
// requirements pins, for the Python 3.11 of Spark's image. They are fetched by pip, from
// whatever index the user has set up, once. It skips the test where that can't be.
func PythonLibraries(ctx context.Context, t *testing.T, name, requirements string) string {
	t.Helper()
	if runtime.GOARCH != "amd64" {
		t.Skip("the wheels that are pinned here are for amd64")
	}
	pinned, err := os.ReadFile(requirements)
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256(pinned)
	dir := filepath.Join(PythonFolder(t), name+"-"+hex.EncodeToString(digest[:8]))
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		return dir
	}
	if err := exec.CommandContext(ctx, "python3", "-m", "pip", "--version").Run(); err != nil {
		t.Skip("there is no python3 -m pip, which fetches what is needed here:", err)
	}
	// It has its name only when it is whole.
	part, err := os.MkdirTemp(filepath.Dir(dir), "part-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(part)
	fetch := exec.CommandContext(ctx, "python3", "-m", "pip", "install", "--no-deps", "--no-compile", "--no-cache-dir",
		"--disable-pip-version-check", "--progress-bar", "off", "--root-user-action", "ignore",
		"--only-binary", ":all:", "--python-version", "3.11", "--platform", "manylinux_2_28_x86_64", "--platform", "manylinux_2_27_x86_64",
		"--platform", "manylinux2014_x86_64", "--platform", "manylinux2010_x86_64", "--platform", "any",
		"--require-hashes", "--requirement", requirements, "--target", part)
	if text, err := fetch.CombinedOutput(); err != nil {
		t.Fatalf("fetch the libraries of %s: %v\n%s", requirements, err, text)
	}
	if err := os.Chmod(part, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(part, dir); err != nil && !errors.Is(err, fs.ErrExist) {
		t.Fatal(err)
	}
	return dir
}
