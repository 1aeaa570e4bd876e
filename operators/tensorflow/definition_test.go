package tensorflow

import (
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"

	chart "muster.sh/muster/charts/muster"
)

// TestTheDefinitionTakesWhatUpstreamsTakes compares the generated definition with the
// one that upstream's module brings. Ours may know more: pods have grown since.
func TestTheDefinitionTakesWhatUpstreamsTakes(t *testing.T) {
	const module = "github.com/kubeflow/training-operator"
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	if err != nil {
		t.Fatalf("find module %s: %v", module, err)
	}
	data, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "manifests", "base", "crds", "kubeflow.org_tfjobs.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var upstream apiextensions.CustomResourceDefinition
	if err := yaml.Unmarshal(data, &upstream); err != nil {
		t.Fatal(err)
	}
	ours := chart.JobDefinitions()[0]
	if !reflect.DeepEqual(ours.Spec.Names, upstream.Spec.Names) || ours.Spec.Scope != upstream.Spec.Scope {
		t.Errorf("it defines %+v, upstream %+v", ours.Spec.Names, upstream.Spec.Names)
	}
	a, b := ours.Spec.Versions[0], upstream.Spec.Versions[0]
	if a.Name != b.Name || !reflect.DeepEqual(a.AdditionalPrinterColumns, b.AdditionalPrinterColumns) || !reflect.DeepEqual(a.Subresources, b.Subresources) {
		t.Errorf("version %s is shown as %v", a.Name, a.AdditionalPrinterColumns)
	}
	requireFields(t, "", a.Schema.OpenAPIV3Schema, b.Schema.OpenAPIV3Schema)
}

func requireFields(t *testing.T, path string, ours, upstream *apiextensions.JSONSchemaProps) {
	t.Helper()
	if ours.Type != upstream.Type {
		t.Errorf("%s is of type %s, upstream's of type %s", path, ours.Type, upstream.Type)
	}
	for name, theirs := range upstream.Properties {
		own, found := ours.Properties[name]
		if !found {
			t.Errorf("%s.%s is missing", path, name)
			continue
		}
		requireFields(t, path+"."+name, &own, &theirs)
	}
	if upstream.Items != nil && upstream.Items.Schema != nil {
		requireFields(t, path+"[]", ours.Items.Schema, upstream.Items.Schema)
	}
	if upstream.AdditionalProperties != nil && upstream.AdditionalProperties.Schema != nil {
		requireFields(t, path+"{}", ours.AdditionalProperties.Schema, upstream.AdditionalProperties.Schema)
	}
}
