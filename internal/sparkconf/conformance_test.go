package sparkconf

import (
	"context"
	"encoding/json"
	"flag"
	"maps"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"

	"muster.sh/muster/internal/sparkconf/conformance"
	"muster.sh/muster/internal/sparkoracle/oracletest"
)

var update = flag.Bool("update", false, "store what the Spark distributions in SPARK_HOME answer")

func TestExecutorsAreAsSparkMakesThem(t *testing.T) { oracletest.EachStored(t, compare) }

// The stored answers could be old; this asks the real thing again.
func TestExecutorsAreAsTheSparkAtHandMakesThem(t *testing.T) {
	oracletest.EachAtHand(t, func(t *testing.T, home string) {
		answers, err := conformance.Ask(context.Background(), home, conformance.All())
		if err != nil {
			t.Fatal(err)
		}
		compare(t, answers)
		if *update {
			if err := conformance.Write(oracletest.StoredAt(answers.SparkVersion), answers); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// compare checks all answers of one Spark distribution.
func compare(t *testing.T, answers conformance.Answers) {
	questions := conformance.All()
	if len(answers.Executors) != len(questions.Executors) || len(answers.Memory) != len(questions.Memory) ||
		len(answers.Properties) != len(questions.Properties) {
		t.Fatal("the answers are to other questions; renew them with go test -update")
	}
	for i, asked := range questions.Executors {
		t.Run(asked.Name, func(t *testing.T) { compareExecutor(t, asked, answers.Executors[i], answers.SparkVersion) })
	}
	for i, text := range questions.Memory {
		compareMemory(t, text, answers.Memory[i], parseLine(answers.SparkVersion))
	}
	for i, text := range questions.Properties {
		compareProperties(t, text, answers.Properties[i])
	}
}

func compareExecutor(t *testing.T, asked conformance.Case, answer conformance.ExecutorAnswer, version string) {
	if asked.Name != answer.Name {
		t.Fatalf("the answer is to %q; renew the answers with go test -update", answer.Name)
	}
	app, err := parseCase(t, asked, answer, version)
	if answer.Error != "" || asked.KubernetesRefuses {
		if err == nil {
			t.Fatalf("not refused; Spark says %q", answer.Error)
		}
		t.Logf("refused: %v; Spark says %q", err, answer.Error)
		return
	}
	if err != nil {
		t.Fatalf("Spark makes an executor of this: %v", err)
	}
	stored := &corev1.Pod{}
	if err := json.Unmarshal(answer.Executor, stored); err != nil {
		t.Fatalf("decode Spark's executor: %v", err)
	}
	stored = admitted(t, stored)
	requireEqual(t, "executor pod", placement(app.ExecutorPod), placement(stored.Spec))
	requireEqual(t, "requests", PodRequests(&app.ExecutorPod), PodRequests(&stored.Spec))
	if want := max(answer.InitialExecutors, 1); app.Executors.Min != want {
		t.Errorf("the minimum is %d executors, but Spark starts with %d", app.Executors.Min, answer.InitialExecutors)
	}
	if app.AppID != stored.Labels[LabelAppID] {
		t.Errorf("the application's id is %q, but executors carry %q", app.AppID, stored.Labels[LabelAppID])
	}
}

// parseCase reads what spark-submit left in the cluster. If spark-submit itself
// refused, the bare settings must be refused too.
func parseCase(t *testing.T, asked conformance.Case, answer conformance.ExecutorAnswer, version string) (Application, error) {
	props := Properties(maps.Clone(asked.Conf))
	if answer.Properties != "" {
		var err error
		if props, err = ReadProperties(answer.Properties); err != nil {
			t.Fatalf("Spark's own text: %v", err)
		}
	}
	in := Inputs{Driver: answer.Driver}
	if answer.Driver == nil {
		in.SparkVersion = version
	}
	if asked.Template != "" {
		template, err := ReadTemplate(asked.Template)
		if err != nil {
			t.Fatalf("read the template: %v", err)
		}
		in.Template = template
	}
	return Parse(props, in)
}

func compareMemory(t *testing.T, text string, answer conformance.MemoryAnswer, version line) {
	if strings.HasPrefix(text, "-") {
		return // Spark's settings take the sign off first, and parseMemory with them.
	}
	for in, want := range map[unit]*int64{mib: answer.MiB, oneByte: answer.Bytes} {
		got, err := parseMemory(text, in, version)
		switch {
		case want == nil && err == nil:
			t.Errorf("%q in units of %d is read as %d, but Spark refuses it", text, in, got)
		case want != nil && (err != nil || got != *want):
			t.Errorf("%q in units of %d is read as %d (%v), but Spark reads %d", text, in, got, err, *want)
		}
	}
}

func compareProperties(t *testing.T, text string, answer conformance.PropertiesAnswer) {
	got, err := ReadProperties(text)
	if answer.Error != "" {
		if err == nil {
			t.Errorf("%q is read as %q, but Spark refuses it", text, got)
		}
		return
	}
	if err != nil || !maps.Equal(got, answer.Values) {
		t.Errorf("%q is read as %q (%v), but Spark reads %q", text, got, err, answer.Values)
	}
}

// placement reduces a pod to what placement depends on.
func placement(spec corev1.PodSpec) corev1.PodSpec {
	return corev1.PodSpec{
		Containers:                containers(spec.Containers),
		InitContainers:            containers(spec.InitContainers),
		NodeSelector:              spec.NodeSelector,
		Affinity:                  spec.Affinity,
		Tolerations:               withoutDefaults(spec.Tolerations),
		TopologySpreadConstraints: spec.TopologySpreadConstraints,
		SchedulerName:             spec.SchedulerName,
		PriorityClassName:         spec.PriorityClassName,
		RuntimeClassName:          spec.RuntimeClassName,
		HostNetwork:               spec.HostNetwork,
		Overhead:                  spec.Overhead,
	}
}

func containers(all []corev1.Container) []corev1.Container {
	var reduced []corev1.Container
	for _, c := range all {
		reduced = append(reduced, corev1.Container{
			Name: c.Name, Resources: c.Resources, Ports: c.Ports, RestartPolicy: c.RestartPolicy,
		})
	}
	return reduced
}

// withoutDefaults leaves out the tolerations that the API server adds to every
// pod; they matter to eviction, not to placement.
func withoutDefaults(all []corev1.Toleration) []corev1.Toleration {
	return slices.DeleteFunc(slices.Clone(all), func(t corev1.Toleration) bool {
		return t.Key == corev1.TaintNodeNotReady || t.Key == corev1.TaintNodeUnreachable
	})
}

func requireEqual(t *testing.T, what string, got, want any) {
	t.Helper()
	if equality.Semantic.DeepEqual(got, want) {
		return
	}
	gotText, _ := json.MarshalIndent(got, "", " ")
	wantText, _ := json.MarshalIndent(want, "", " ")
	t.Fatalf("%s: got %s\nwant %s", what, gotText, wantText)
}
