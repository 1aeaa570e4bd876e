package sparkdist

import (
	"archive/zip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestTheClasspathJarNamesAllJars reads the manifest as Java does: a line that
// begins with a space goes on with the one before.
func TestTheClasspathJarNamesAllJars(t *testing.T) {
	home := t.TempDir()
	var want []string
	for i := range 30 { // so that names are broken at different places
		want = append(want, fmt.Sprintf("jars/%02d-%s.jar", i, strings.Repeat("x", i)))
	}
	for _, jar := range want {
		if err := writeFile(filepath.Join(home, jar), strings.NewReader(""), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	dest := filepath.Join(home, "classpath.jar")
	if err := writeClasspathJar(dest, filepath.Join(home, "jars")); err != nil {
		t.Fatal(err)
	}
	manifest := readZipFile(t, dest, "META-INF/MANIFEST.MF")
	for line := range strings.Lines(manifest) {
		if len(line) > len("\n")+72 {
			t.Errorf("a line of %d bytes: %q", len(line), line)
		}
	}
	_, names, _ := strings.Cut(strings.ReplaceAll(manifest, "\n ", ""), "Class-Path: ")
	if got := strings.Split(strings.TrimSuffix(names, "\n"), " "); !slices.Equal(got, want) {
		t.Errorf("the class path is %q, want %q", got, want)
	}
	if left, _ := filepath.Glob(filepath.Join(home, "*")); len(left) != 2 {
		t.Errorf("beside the jars are %q, want the one jar", left)
	}
}

func readZipFile(t *testing.T, archive, name string) string {
	t.Helper()
	z, err := zip.OpenReader(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	f, err := z.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	content, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// TestTheClientsArchive runs scripts in the place of spark-submit.
func TestTheClientsArchive(t *testing.T) {
	for _, c := range []struct {
		name, script, fault string
	}{
		{"is there although nobody could be submitted to", `touch "${SPARK_SUBMIT_OPTS##*=}"; exit 1`, ""},
		{"is missed with what spark-submit said", "echo no such class", "no such class"},
	} {
		t.Run(c.name, func(t *testing.T) {
			home := t.TempDir()
			writeStub(t, filepath.Join(home, "bin", "spark-submit"), c.script)
			b := builder{cache: cache{t.TempDir()}, Options: Options{Line: Spark430}, jdkVersion: "17"}
			archive, err := b.clientArchive(t.Context(), Dist{Home: home, Version: "4.3.0"})
			if c.fault != "" {
				if err == nil || !strings.Contains(err.Error(), c.fault) {
					t.Errorf("the error is %v, want it to say %q", err, c.fault)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if _, err := os.Stat(archive); err != nil {
				t.Error(err)
			}
		})
	}
}
