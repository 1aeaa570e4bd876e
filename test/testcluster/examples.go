package testcluster

import (
	"errors"
	"io"
	"os"
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
		decoder := yaml.NewYAMLOrJSONDecoder(strings.NewReader(block[1]), 4096)
		for {
			u := &unstructured.Unstructured{}
			err := decoder.Decode(&u.Object)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("an example of %s: %v\n%s", guide, err, block[1])
			}
			if slices.Contains(kinds, u.GetKind()) {
				objects = append(objects, u)
			}
		}
	}
	return objects
}
