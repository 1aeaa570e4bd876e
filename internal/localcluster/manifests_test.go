package localcluster

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestManifestsAreReadFromFilesAndFolders(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{
		"a.yaml":     "# a comment only\n---\nkind: ConfigMap\nmetadata: {name: a}\n---\nkind: Secret\nmetadata: {name: b}\n",
		"b.json":     `{"kind": "ConfigMap", "metadata": {"name": "c"}}`,
		"sub/c.yml":  "kind: ConfigMap\nmetadata: {name: d}\n",
		"readme.txt": "not a manifest",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	objects, err := readManifests(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, object := range objects {
		names = append(names, object.GetName())
	}
	if got := strings.Join(names, ""); got != "abcd" {
		t.Errorf("read objects %s", got)
	}
}

func TestBadManifestsAreNamed(t *testing.T) {
	for name, content := range map[string]string{
		"no kind":  "metadata: {name: a}\n",
		"no name":  "kind: ConfigMap\n",
		"not YAML": "{",
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "bad.yaml")
			if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := readManifests(path); err == nil || !strings.Contains(err.Error(), "bad.yaml") {
				t.Errorf("got %v", err)
			}
		})
	}
	if _, err := readManifests("/nowhere/at/all"); err == nil {
		t.Error("a missing file is taken")
	}
}
