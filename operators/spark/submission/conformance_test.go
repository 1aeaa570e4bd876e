package submission

import (
	"context"
	"encoding/json"
	"flag"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/types"

	"muster.sh/muster/internal/sparkconf"
	"muster.sh/muster/internal/sparkoracle/oracletest"
	"muster.sh/muster/operators/spark/submission/conformance"
)

var update = flag.Bool("update", false, "store what the Spark distributions in SPARK_HOME answer")

func TestObjectsAreAsSparkSubmitMakesThem(t *testing.T) { oracletest.EachStored(t, compare) }

// The stored answers could be old; this asks the real thing again.
func TestObjectsAreAsTheSparkSubmitAtHandMakesThem(t *testing.T) {
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
	cases := conformance.All()
	if len(answers.Cases) != len(cases) {
		t.Fatal("the answers are to other cases; renew them with go test -update")
	}
	for i, asked := range cases {
		t.Run(asked.Name, func(t *testing.T) { compareCase(t, asked, answers.Cases[i], answers.SparkVersion) })
	}
}

func compareCase(t *testing.T, asked conformance.Case, answer conformance.Answer, version string) {
	if asked.Name != answer.Name {
		t.Fatalf("the answer is to %q; renew the answers with go test -update", answer.Name)
	}
	objects, err := buildCase(asked, version)
	if answer.Error != "" || asked.Stricter != "" {
		if err == nil {
			t.Fatalf("not refused; Spark says %q", answer.Error)
		}
		t.Logf("refused: %v; Spark says %q", err, answer.Error)
		return
	}
	if err != nil {
		t.Fatalf("spark-submit takes this: %v", err)
	}
	requireEqual(t, sent(objects), recorded(t, answer))
}

// buildCase submits a case here.
func buildCase(asked conformance.Case, version string) (Objects, error) {
	app := Application{
		SparkVersion: version, Properties: maps.Clone(asked.Conf), MainClass: asked.Class, Resource: asked.Resource,
		Args: asked.Args, ProxyUser: asked.ProxyUser, User: conformance.User, ExecutorTemplate: asked.ExecutorTemplate,
	}
	app.Properties["spark.kubernetes.submission.waitAppCompletion"] = "false"
	if asked.DriverTemplate != "" {
		template, err := sparkconf.ReadTemplate(asked.DriverTemplate)
		if err != nil {
			return Objects{}, err
		}
		app.DriverTemplate = template
		// The conformance program keeps its templates there.
		app.Properties[keyDriverTemplate] = "/templates/driver.yaml"
	}
	return Build(app, Identity{
		AppID: conformance.AppID, UniqueID: conformance.UniqueID, SubmitTime: time.UnixMilli(conformance.SubmitTime),
	})
}

// driverUID is what the conformance program's API server gives to drivers.
const driverUID = types.UID("11111111-2222-3333-4444-555555555555")

// sent are the objects by kind and name, as they would be sent.
func sent(objects Objects) map[string]any {
	byName := map[string]any{}
	objects.Driver.UID = driverUID
	for _, object := range objects.Owned {
		Own(object, objects.Driver)
		byName[kind(object)+" "+object.GetName()] = settled(object)
	}
	objects.Driver.UID = ""
	byName["pods "+objects.Driver.Name] = settled(objects.Driver)
	return byName
}

func kind(object Object) string {
	switch object.(type) {
	case *corev1.Service:
		return "services"
	case *corev1.Secret:
		return "secrets"
	case *corev1.ConfigMap:
		return "configmaps"
	case *corev1.PersistentVolumeClaim:
		return "persistentvolumeclaims"
	case *networkingv1.NetworkPolicy:
		return "networkpolicies"
	}
	return "unknown"
}

// recorded are the objects that spark-submit sent, by kind and name.
func recorded(t *testing.T, answer conformance.Answer) map[string]any {
	byName := map[string]any{}
	for _, request := range answer.Requests {
		_, rest, _ := strings.Cut(request.Path, "/namespaces/")
		parts := strings.Split(rest, "/")
		object := map[string]Object{
			"pods": &corev1.Pod{}, "services": &corev1.Service{}, "secrets": &corev1.Secret{}, "configmaps": &corev1.ConfigMap{},
			"persistentvolumeclaims": &corev1.PersistentVolumeClaim{}, "networkpolicies": &networkingv1.NetworkPolicy{},
		}[parts[1]]
		if object == nil {
			t.Fatalf("spark-submit sent something new to %s", request.Path)
		}
		if err := json.Unmarshal(request.Object, object); err != nil {
			t.Fatalf("decode what spark-submit sent: %v", err)
		}
		object.SetNamespace(parts[0])
		byName[parts[1]+" "+object.GetName()] = settled(object)
	}
	return byName
}

// settled takes out of an object what is left to chance in Spark's: variables, volumes
// and settings are in the order of a hash table, and folders for Spark's own data in
// any.
func settled(object Object) any {
	object.GetObjectKind().SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind(""))
	switch o := object.(type) {
	case *corev1.Pod:
		return settledPod(o.DeepCopy())
	case *corev1.ConfigMap:
		copied := o.DeepCopy()
		text, found := copied.Data[propertiesFile]
		if !found {
			return copied
		}
		delete(copied.Data, propertiesFile)
		props, err := sparkconf.ReadProperties(text)
		return []any{copied, props, err}
	}
	return object
}

func settledPod(pod *corev1.Pod) *corev1.Pod {
	slices.SortFunc(pod.Spec.Volumes, func(a, b corev1.Volume) int { return strings.Compare(a.Name, b.Name) })
	for i := range pod.Spec.Containers {
		c := &pod.Spec.Containers[i]
		slices.SortFunc(c.Env, func(a, b corev1.EnvVar) int { return strings.Compare(a.Name, b.Name) })
		slices.SortFunc(c.VolumeMounts, func(a, b corev1.VolumeMount) int { return strings.Compare(a.MountPath, b.MountPath) })
		for j := range c.VolumeMounts {
			if mount := &c.VolumeMounts[j]; strings.HasPrefix(mount.Name, localDirsVolume) {
				mount.Name = localDirsVolume
			}
		}
		for j := range c.Env {
			if variable := &c.Env[j]; variable.Name == "SPARK_LOCAL_DIRS" {
				variable.Value = strings.Join(slices.Sorted(slices.Values(strings.Split(variable.Value, ","))), ",")
			}
		}
	}
	return pod
}

func requireEqual(t *testing.T, got, want map[string]any) {
	t.Helper()
	if !equality.Semantic.DeepEqual(got, want) {
		t.Fatalf("these are not as spark-submit makes them (-Spark's, +ours):\n%s", cmp.Diff(want, got))
	}
}
