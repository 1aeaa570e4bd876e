package tensorflow

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

//go:embed testdata/requirements.txt
var requirements []byte

// libraries returns the folder with the Python libraries that are pinned. They are
// fetched by pip, from whatever index the user has set up, once.
func libraries(ctx context.Context, t *testing.T) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256(requirements)
	dir := filepath.Join(cache, "muster", "tensorflow", hex.EncodeToString(digest[:8]))
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		return dir
	}
	if err := exec.CommandContext(ctx, "python3", "-m", "pip", "--version").Run(); err != nil {
		t.Skip("there is no python3 -m pip, which fetches TensorFlow:", err)
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
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
		"--require-hashes", "--requirement", filepath.Join("testdata", "requirements.txt"), "--target", part)
	if text, err := fetch.CombinedOutput(); err != nil {
		t.Fatalf("fetch TensorFlow: %v\n%s", err, text)
	}
	if err := os.Chmod(part, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(part, dir); err != nil && !errors.Is(err, fs.ErrExist) {
		t.Fatal(err)
	}
	return dir
}
