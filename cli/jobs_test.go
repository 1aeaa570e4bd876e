package cli

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	sparkv1beta2 "github.com/kubeflow/spark-operator/v2/api/v1beta2"
	kubeflow "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/yaml"
)

func TestJobsAreListed(t *testing.T) {
	made := func(name string, minute int) metav1.ObjectMeta {
		return metav1.ObjectMeta{Namespace: "a", Name: name, CreationTimestamp: metav1.NewTime(time.Date(2026, 1, 1, 0, minute, 0, 0, time.UTC))}
	}
	failed := &sparkv1beta2.SparkApplication{ObjectMeta: made("pi", 2)}
	failed.Status.AppState = sparkv1beta2.ApplicationState{
		State: sparkv1beta2.ApplicationStateFailed, ErrorMessage: strings.Repeat("long ", 40) + "\nsecond line",
	}
	known, err := newScheme()
	if err != nil {
		t.Fatal(err)
	}
	objects := fake.NewClientBuilder().WithScheme(known).WithObjects(failed, &kubeflow.TFJob{ObjectMeta: made("train", 1)}).Build()
	c := &cluster{WithWatch: objects, namespace: "a"}
	show := func(how string) string {
		t.Helper()
		var out bytes.Buffer
		if err := c.showJobs(t.Context(), &out, how); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	if table := show(""); !strings.Contains(table, "…") || strings.Contains(table, "second") {
		t.Errorf("the reason is not cut:\n%s", table)
	}
	table := show("wide")
	if !strings.Contains(table, "long second line\n") || strings.Count(table, "\n") != 3 {
		t.Errorf("the reason is not whole, and in one line:\n%s", table)
	}
	if strings.Index(table, "tf/train") > strings.Index(table, "spark/pi") {
		t.Errorf("the youngest is not last:\n%s", table)
	}
	for how, read := range map[string]func([]byte, any) error{
		"json": json.Unmarshal, "yaml": func(text []byte, into any) error { return yaml.Unmarshal(text, into) },
	} {
		var list corev1.List
		if err := read([]byte(show(how)), &list); err != nil || list.Kind != "List" || len(list.Items) != 2 {
			t.Fatalf("%s: %v, %v", how, list, err)
		}
		var app sparkv1beta2.SparkApplication
		if err := json.Unmarshal(list.Items[1].Raw, &app); err != nil || app.Kind != "SparkApplication" || app.APIVersion != "sparkoperator.k8s.io/v1beta2" || app.Name != "pi" {
			t.Errorf("%s: the second is %+v, %v", how, app, err)
		}
	}
	if err := c.showJobs(t.Context(), &bytes.Buffer{}, "xml"); err == nil {
		t.Error("xml is no error")
	}
}

// What a driver told of a run that is over is not how far the job is.
func TestProgressIsShownWhileAJobRuns(t *testing.T) {
	for state, want := range map[sparkv1beta2.ApplicationStateType]string{
		sparkv1beta2.ApplicationStateRunning: "jobs 1/2, stages 3/8, tasks 120/400", sparkv1beta2.ApplicationStatePendingRerun: "",
	} {
		app := &sparkv1beta2.SparkApplication{ObjectMeta: metav1.ObjectMeta{
			Namespace: "a", Name: "pi", Annotations: map[string]string{"muster.sh/progress": "jobs 1/2, stages 3/8, tasks 120/400"},
		}}
		app.Status.AppState.State = state
		j := spark.job(app)
		if j.progress != want {
			t.Errorf("%s: the progress is %q", state, j.progress)
		}
		c := &cluster{WithWatch: fake.NewClientBuilder().Build(), namespace: "a"}
		if row := c.row(&j, nil, false); row[4] != orDash(want) {
			t.Errorf("%s: the row is %q", state, row)
		}
	}
}

// A definition takes pod templates whatever they are. The type does not.
func TestOneThatCannotBeReadHidesNoOther(t *testing.T) {
	known := runtime.NewScheme()
	if err := corev1.AddToScheme(known); err != nil {
		t.Fatal(err)
	}
	var objects []client.Object
	for _, k := range kinds {
		known.AddKnownTypeWithName(k.version.WithKind(k.api), &unstructured.Unstructured{})
		known.AddKnownTypeWithName(k.version.WithKind(k.api+"List"), &unstructured.UnstructuredList{})
		for name, spec := range map[string]string{"fits": "{}", "wrong": "{driver: {template: {spec: 1}}, tfReplicaSpecs: 1}"} {
			o := k.stored()
			o.SetNamespace("a")
			o.SetName(name)
			if err := yaml.Unmarshal([]byte("spec: "+spec), &o.Object); err != nil {
				t.Fatal(err)
			}
			objects = append(objects, o)
		}
	}
	c := &cluster{WithWatch: fake.NewClientBuilder().WithScheme(known).WithObjects(objects...).Build(), namespace: "a"}
	var out bytes.Buffer
	if err := c.showJobs(t.Context(), &out, "wide"); err != nil {
		t.Fatal(err)
	}
	table := strings.Join(strings.Fields(out.String()), " ")
	for _, want := range []string{"spark/fits - NEW 0/2 - ", "spark/wrong - NEW 0/2 - ", "spec.driver.template: is not a pod template", "tf/fits - New ", "tf/wrong - New ", "it can't be read: "} {
		if !strings.Contains(table, want) {
			t.Errorf("%q is not in it:\n%s", want, &out)
		}
	}
	if j, err := c.find(t.Context(), "spark/wrong"); err != nil || !strings.Contains(j.reason, "spec.driver.template: ") {
		t.Errorf("it is found as %+v, %v", j, err)
	}
}
