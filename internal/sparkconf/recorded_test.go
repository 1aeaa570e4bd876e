package sparkconf

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// The objects in testdata/recorded are those of real applications on a real
// cluster, as the API server stored them.
func TestRecordedApplicationsGiveTheirRecordedExecutors(t *testing.T) {
	want := map[string]Executors{
		"spark-4.0.1":        {Min: 3, Max: 3, MinAfterStart: 3},
		"spark-4.3.0":        {Min: 3, Max: 3, MinAfterStart: 3},
		"dynamic-allocation": {Min: 1, Max: 4, MinAfterStart: 1, Dynamic: true},
	}
	for run, executors := range want {
		t.Run(run, func(t *testing.T) {
			dir := filepath.Join("testdata", "recorded", run)
			var driver corev1.Pod
			load(t, filepath.Join(dir, "driver.json"), &driver)
			var config corev1.ConfigMap
			load(t, filepath.Join(dir, "configmap.json"), &config)

			source, ok := PropertiesSource(&driver)
			if !ok || source.ConfigMap != config.Name {
				t.Fatalf("the driver's properties are sought in %+v, %v, but are in %s", source, ok, config.Name)
			}
			if source, ok := TemplateSource(&driver); ok {
				t.Errorf("a template is sought in %+v, but there is none", source)
			}
			props, err := ReadProperties(config.Data[source.Key])
			if err != nil {
				t.Fatal(err)
			}
			app, err := Parse(props, Inputs{Driver: &driver})
			if err != nil {
				t.Fatal(err)
			}
			requireEqual(t, "executors", app.Executors, executors)
			requireEqual(t, "application", app.AppID, driver.Labels[LabelAppID])
			compareRecorded(t, dir, app)
		})
	}
}

func compareRecorded(t *testing.T, dir string, app Application) {
	paths, err := filepath.Glob(filepath.Join(dir, "executor-*.json"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no recorded executors: %v", err)
	}
	for _, path := range paths {
		var pod corev1.Pod
		load(t, path, &pod)
		requireEqual(t, path, placement(app.ExecutorPod), placement(pod.Spec))
		requireEqual(t, path+"'s requests", PodRequests(&app.ExecutorPod), PodRequests(&pod.Spec))
	}
}

func load(t *testing.T, path string, into any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatalf("decode %s: %v", path, err)
	}
}
