package plan

import (
	"encoding/json"
	"testing"

	"github.com/kubeflow/spark-operator/v2/api/v1beta2"
	"pgregory.net/rapid"
	"sigs.k8s.io/yaml"

	"muster.sh/muster/internal/mutation"
)

// Whatever becomes of a valid manifest, planning it ends in a plan or an error.
func TestNoManifestIsTooMuch(t *testing.T) {
	valid, err := yaml.YAMLToJSON([]byte(`
metadata: {name: pi, namespace: team-a, uid: uid, labels: {a: b}, annotations: {c: d}}` + podFieldsSpec + `
    template: {metadata: {labels: {x: z}}, spec: {schedulerName: other, containers: [{name: a, resources: {limits: {cpu: 1}}}]}}
    memoryLimit: 3g
    secrets: [{name: a, path: /a, secretType: Generic}]
  type: Scala
  sparkVersion: 4.3.0
  image: spark
  mainClass: Pi
  mainApplicationFile: local:///pi.jar
  batchScheduler: volcano
  batchSchedulerOptions: {queue: q, priorityClassName: p, resources: {cpu: 1}}
  monitoring: {exposeDriverMetrics: true, exposeExecutorMetrics: true, prometheus: {jmxExporterJar: /a.jar, port: 8090}}
  dynamicAllocation: {enabled: true, minExecutors: 1, maxExecutors: 3}
  sparkConf: {spark.local.dir: /a}
  sparkUIOptions: {servicePort: 80, ingressAnnotations: {a: b}, ingressTLS: [{hosts: [a.b], secretName: c}]}
  driverIngressOptions: [{servicePort: 5000, servicePortName: app, ingressURLFormat: 'https://{{$appName}}.example.com/app'}]
`))
	if err != nil {
		t.Fatal(err)
	}
	app := &v1beta2.SparkApplication{}
	if err := json.Unmarshal(valid, app); err != nil {
		t.Fatal(err)
	}
	if _, err := Make(app, first, withIngress); err != nil {
		t.Fatalf("the manifest to begin with is refused: %v", err)
	}
	rapid.Check(t, func(t *rapid.T) {
		var manifest any
		if err := json.Unmarshal(valid, &manifest); err != nil {
			t.Fatal(err)
		}
		for range rapid.IntRange(1, 4).Draw(t, "mutations") {
			manifest = mutation.Of(t, manifest)
		}
		text, err := json.Marshal(manifest)
		if err != nil {
			t.Fatal(err)
		}
		// What can't be decoded the API server would not take.
		app := &v1beta2.SparkApplication{}
		if json.Unmarshal(text, app) == nil {
			_, _ = Make(app, first, withIngress)
		}
	})
}
