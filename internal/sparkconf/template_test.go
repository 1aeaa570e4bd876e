package sparkconf

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

const templateKey = "spark.kubernetes.executor.podTemplateFile"

// parseTemplate parses an application whose only settings are a template and
// those given.
func parseTemplate(t *testing.T, text string, props Properties, in Inputs) (Application, error) {
	t.Helper()
	template, err := ReadTemplate(text)
	if err != nil {
		t.Fatal(err)
	}
	all := Properties{templateKey: "/opt/spark/pod-template/pod-spec-template.yml"}
	for key, value := range props {
		all[key] = value
	}
	in.Template = template
	return Parse(all, in)
}

func TestTemplatesAddToRequests(t *testing.T) {
	for _, test := range []struct {
		name, text string
		want       corev1.ResourceList
	}{
		{name: "other containers add to Spark's", text: `
spec:
  containers: [{name: spark}, {name: sidecar, resources: {requests: {cpu: 500m, memory: 100Mi}}}]`,
			want: corev1.ResourceList{"cpu": resource.MustParse("1500m"), "memory": resource.MustParse("1508Mi")}},
		{name: "an init container counts if it needs more than the rest", text: `
spec:
  initContainers: [{name: big, resources: {requests: {cpu: 3, memory: 10Mi}}}]`,
			want: corev1.ResourceList{"cpu": resource.MustParse("3"), "memory": resource.MustParse("1408Mi")}},
		{name: "an init container that keeps running adds to the rest", text: `
spec:
  initContainers: [{name: proxy, restartPolicy: Always, resources: {requests: {cpu: 100m}}}]`,
			want: corev1.ResourceList{"cpu": resource.MustParse("1100m"), "memory": resource.MustParse("1408Mi")}},
		{name: "limits alone become requests", text: `
spec:
  containers: [{name: spark, resources: {limits: {nvidia.com/gpu: 2}}}]`,
			want: corev1.ResourceList{"cpu": resource.MustParse("1"), "memory": resource.MustParse("1408Mi"), "nvidia.com/gpu": resource.MustParse("2")}},
		{name: "Spark's own resources replace the template's", text: `
spec:
  containers: [{name: spark, resources: {requests: {cpu: 9, memory: 90Gi, ephemeral-storage: 1Gi}}}]`,
			want: corev1.ResourceList{"cpu": resource.MustParse("1"), "memory": resource.MustParse("1408Mi"), "ephemeral-storage": resource.MustParse("1Gi")}},
		{name: "requests of the whole pod go before those of its containers", text: `
spec:
  resources: {requests: {cpu: 6}, limits: {cpu: 8, memory: 8Gi}}`,
			want: corev1.ResourceList{"cpu": resource.MustParse("6"), "memory": resource.MustParse("1408Mi")}},
	} {
		t.Run(test.name, func(t *testing.T) {
			app, err := parseTemplate(t, test.text, nil, Inputs{})
			if err != nil {
				t.Fatal(err)
			}
			requireEqual(t, "requests", PodRequests(&app.ExecutorPod), test.want)
		})
	}
}

func TestATemplateIsNotUsedUnlessTheSettingsNameIt(t *testing.T) {
	template, err := ReadTemplate("spec: {nodeSelector: {a: b}}")
	if err != nil {
		t.Fatal(err)
	}
	app, err := Parse(nil, Inputs{Template: template})
	if err != nil {
		t.Fatal(err)
	}
	requireEqual(t, "node selector", app.ExecutorPod.NodeSelector, map[string]string(nil))
}

func TestParsingLeavesTheTemplateAlone(t *testing.T) {
	text := "spec: {nodeSelector: {a: b}, hostNetwork: true, containers: [{name: x, ports: [{containerPort: 1}], resources: {limits: {cpu: 9}}}]}"
	template, err := ReadTemplate(text)
	if err != nil {
		t.Fatal(err)
	}
	before := template.DeepCopy()
	props := Properties{templateKey: "t", "spark.kubernetes.node.selector.c": "d", "spark.kubernetes.executor.limit.cores": "2"}
	if _, err := Parse(props, Inputs{Template: template}); err != nil {
		t.Fatal(err)
	}
	requireEqual(t, "template", template, before)
}

func TestBadTemplatesAreRefused(t *testing.T) {
	for name, text := range map[string]string{
		"no YAML":                            "spec: [",
		"no pod":                             "kind: Deployment",
		"a list":                             "- a\n- b",
		"a field of another type":            "spec: {nodeSelector: [a]}",
		"no quantity":                        "spec: {containers: [{resources: {requests: {cpu: many}}}]}",
		"a quantity too small to be read":    "spec: {containers: [{resources: {requests: {cpu: '1e-999999999'}}}]}",
		"a quantity too large to be read":    "spec: {volumes: [{name: a, emptyDir: {sizeLimit: ' 1E+999999999'}}]}",
		"a text larger than a ConfigMap":     "# " + strings.Repeat("x", MaxTextBytes),
		"aliases that multiply without end":  aliasBomb(),
		"nesting without end":                strings.Repeat("[", 100_000),
		"a number where the kind should be ": "kind: 1",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ReadTemplate(text)
			requireKeyError(t, err, templateKey)
		})
	}
}

// aliasBomb is YAML that grows tenfold with each line.
func aliasBomb() string {
	var text strings.Builder
	text.WriteString("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n")
	for i := range 9 {
		n, m := string(rune('0'+i)), string(rune('1'+i))
		text.WriteString("a" + m + ": &a" + m + " [" + strings.Repeat("*a"+n+",", 9) + "*a" + n + "]\n")
	}
	return text.String()
}

func TestTemplatesThatNoMachineHoldsAreRefused(t *testing.T) {
	for name, text := range map[string]string{
		"a negative request":             "spec: {containers: [{name: a}, {name: b, resources: {requests: {cpu: -1}}}]}",
		"a negative limit":               "spec: {containers: [{name: a}, {name: b, resources: {limits: {cpu: -1}}}]}",
		"a negative request of the pod":  "spec: {resources: {requests: {cpu: -1}}}",
		"a request of a million cores":   "spec: {initContainers: [{name: b, resources: {requests: {cpu: 2M}}}]}",
		"requests that add up":           "spec: {containers: [" + strings.Repeat("{resources: {requests: {memory: 1Pi}}},", 9000) + "]}",
		"a limit below the request":      "spec: {containers: [{name: a}, {name: b, resources: {requests: {cpu: 2}, limits: {cpu: 1}}}]}",
		"a runtime class that is not":    "spec: {runtimeClassName: none}",
		"an overhead without its class":  "spec: {overhead: {cpu: -1}}",
		"more memory than any machine's": "spec: {containers: [{name: a}, {name: b, resources: {requests: {memory: 9e18}}}]}",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parseTemplate(t, text, nil, Inputs{})
			requireKeyError(t, err, templateKey)
		})
	}
}
