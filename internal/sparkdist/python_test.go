package sparkdist

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// writePythonLibrary makes a zip file with a package in it. It skips the test where
// there is no Python to compile that with.
func writePythonLibrary(t *testing.T, path string) {
	t.Helper()
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip("no python3 on this machine")
	}
	source := t.TempDir()
	if err := writeFile(filepath.Join(source, "pyspark", "__init__.py"), strings.NewReader("print(__file__)\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := writeZip(path, source); err != nil {
		t.Fatal(err)
	}
}

func TestLibrariesAreImportedCompiled(t *testing.T) {
	lib, dest := t.TempDir(), t.TempDir()
	writePythonLibrary(t, filepath.Join(lib, "pyspark.zip"))
	if err := compileLibraries(t.Context(), lib, dest); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "python3", "-c", "import pyspark")
	cmd.Env = append(os.Environ(), "PYTHONPATH="+filepath.Join(dest, "pyspark.zip"))
	out, err := cmd.CombinedOutput()
	if want := filepath.Join(dest, "pyspark.zip", "pyspark", "__init__.pyc"); err != nil || strings.TrimSpace(string(out)) != want {
		t.Errorf("imported %s (%v), want %s", out, err, want)
	}
	if left, _ := filepath.Glob(filepath.Join(dest, "*")); len(left) != 1 {
		t.Errorf("in the folder are %q, want the library alone", left)
	}
}
