package testcluster

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
)

var yamlBlock = regexp.MustCompile("(?s)```yaml\n(.*?)```")

// Examples are the objects of some kinds that a guide shows.
func Examples(t *testing.T, guide string, kinds ...string) []*unstructured.Unstructured {
	t.Helper()
	text, err := os.ReadFile(guide)
	if err != nil {
		t.Fatal(err)
	}
	var objects []*unstructured.Unstructured
	for _, block := range yamlBlock.FindAllStringSubmatch(string(text), -1) {
		found, err := Objects(block[1], kinds...)
		if err != nil {
			t.Fatalf("an example of %s: %v\n%s", guide, err, block[1])
		}
		objects = append(objects, found...)
	}
	return objects
}

// Samples are the objects of some kinds in a folder of a module that this one requires.
func Samples(t *testing.T, module, folder string, kinds ...string) []*unstructured.Unstructured {
	t.Helper()
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	if err != nil {
		t.Fatalf("find module %s: %v", module, err)
	}
	var objects []*unstructured.Unstructured
	err = filepath.WalkDir(filepath.Join(strings.TrimSpace(string(dir)), folder), func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".yaml" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		found, err := Objects(string(text), kinds...)
		if err != nil {
			t.Logf("nobody can read %s: %v", path, err)
			return nil
		}
		objects = append(objects, found...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

// Objects are those of some kinds in a text.
func Objects(text string, kinds ...string) ([]*unstructured.Unstructured, error) {
	var objects []*unstructured.Unstructured
	decoder := yaml.NewYAMLOrJSONDecoder(strings.NewReader(text), 4096)
	for {
		u := &unstructured.Unstructured{}
		switch err := decoder.Decode(&u.Object); {
		case errors.Is(err, io.EOF):
			return objects, nil
		case err != nil:
			return nil, err
		case slices.Contains(kinds, u.GetKind()):
			objects = append(objects, u)
		}
	}
}
