package spark

import (
	"strings"
	"testing"

	"github.com/kubeflow/spark-operator/v2/api/v1beta2"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	muster "muster.sh/muster/api/v1alpha1"
	"muster.sh/muster/operators/spark/plan"
)

func TestWhatDoesNotFitIsLeftOutAndTold(t *testing.T) {
	read := looseKinds[0].Read
	for name, tc := range map[string]struct {
		manifest string
		memory   string // what is read of the rest
		why      string
	}{
		"all fits":                  {"spec: {driver: {memory: 1g, template: {metadata: {labels: {a: b}}}}}", "1g", ""},
		"a label that is no text":   {"spec: {driver: {memory: 1g, template: {metadata: {labels: {a: true}}}}}", "1g", "spec.driver.template: is not a pod template: "},
		"a quantity that is none":   {"spec: {driver: {memory: 1g}, executor: {template: {spec: {overhead: {cpu: much}}}}}", "1g", "spec.executor.template: is not a pod template: "},
		"both":                      {"spec: {driver: {memory: 1g, template: {spec: 1}}, executor: {template: {spec: []}}}", "1g", "; spec.executor.template: "},
		"what a definition forbids": {"spec: {driver: {memory: 1}}", "", "it can't be read: "},
	} {
		t.Run(name, func(t *testing.T) {
			stored := &unstructured.Unstructured{}
			if err := yaml.Unmarshal([]byte("metadata: {name: pi, namespace: a, resourceVersion: '7'}\n"+tc.manifest), &stored.Object); err != nil {
				t.Fatal(err)
			}
			app := read(stored).(*v1beta2.SparkApplication)
			if app.Name != "pi" || app.Namespace != "a" || app.ResourceVersion != "7" {
				t.Errorf("the metadata is %+v", app.ObjectMeta)
			}
			if got := app.Spec.Driver.Memory; (got == nil) != (tc.memory == "") || got != nil && *got != tc.memory {
				t.Errorf("the memory is %v", got)
			}
			why := app.Annotations[muster.UnreadableAnnotation]
			if !strings.Contains(why, tc.why) || (why == "") != (tc.why == "") {
				t.Errorf("it is told that %q", why)
			}
			if _, err := plan.Make(app, plan.NewSubmission(app), plan.Options{}); why != "" && (err == nil || err.Error() != why) {
				t.Errorf("its plan is refused with %v", err)
			}
		})
	}
}
