package sparkoperator

import (
	"context"
	"encoding/json"
	"flag"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/kubeflow/spark-operator/v2/api/v1alpha1"
	"github.com/kubeflow/spark-operator/v2/api/v1beta2"
	kubeflow "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	admission "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/utils/ptr"
	"pgregory.net/rapid"
	"sigs.k8s.io/controller-runtime/pkg/client"

	muster "muster.sh/muster/api/v1alpha1"
	"muster.sh/muster/internal/localcluster"
	"muster.sh/muster/internal/mutation"
	"muster.sh/muster/test/testcluster"
)

// mutations is how many manifests of each kind are made wrong.
var mutations = flag.Int("mutations", 15, "how many manifests of each kind are made wrong")

// atOnce is how many of each kind are there at the same time.
const atOnce = 15

// settled says of each kind when an object has come to something: it is brought on, or
// tells why it is not.
var settled = map[schema.GroupVersionResource]func(*unstructured.Unstructured) bool{
	v1beta2.SchemeGroupVersion.WithResource("sparkapplications"): func(u *unstructured.Unstructured) bool {
		why := text(u, "applicationState", "errorMessage")
		switch v1beta2.ApplicationStateType(text(u, "applicationState", "state")) {
		case v1beta2.ApplicationStateSubmitted, v1beta2.ApplicationStateRunning, v1beta2.ApplicationStateCompleted, v1beta2.ApplicationStateSuspended:
			return true
		case v1beta2.ApplicationStateFailed, v1beta2.ApplicationStateFailedSubmission:
			return why != ""
		}
		return false
	},
	v1beta2.SchemeGroupVersion.WithResource("scheduledsparkapplications"): func(u *unstructured.Unstructured) bool {
		state := text(u, "scheduleState")
		return state == string(v1beta2.ScheduleStateScheduled) || state != "" && text(u, "reason") != ""
	},
	v1alpha1.SchemeGroupVersion.WithResource("sparkconnects"): func(u *unstructured.Unstructured) bool {
		conditions, _, _ := unstructured.NestedSlice(u.Object, "status", "conditions")
		return text(u, "state") != "" && len(conditions) > 0
	},
	kubeflow.SchemeGroupVersion.WithResource(kubeflow.TFJobPlural): func(u *unstructured.Unstructured) bool {
		conditions, _, _ := unstructured.NestedSlice(u.Object, "status", "conditions")
		return len(conditions) > 0
	},
}

func text(u *unstructured.Unstructured, path ...string) string {
	found, _, _ := unstructured.NestedString(u.Object, append([]string{"status"}, path...)...)
	return found
}

// bearsAnything gives the operators wrong manifests that the API server takes, which
// refuses nothing but what the definitions do. They bring each to something, and none
// ends them; and when all are deleted, nothing of them is left.
func (s *stage) bearsAnything(ctx context.Context, t *testing.T) {
	if err := s.client.DeleteAllOf(ctx, &admission.ValidatingAdmissionPolicyBinding{}); err != nil {
		t.Fatal(err)
	}
	testcluster.AwaitAdmission(ctx, t, s.client, pi("any", func(app *application) { app.Spec.Driver.Memory = ptr.To("1.5g") }), true)
	before, err := s.PID(localcluster.OperatorsComponent)
	if err != nil {
		t.Fatal(err)
	}
	right := rightManifests(t)
	taken := 0
	for first := 0; first < *mutations; first += atOnce {
		for i := first; i < min(first+atOnce, *mutations); i++ {
			for _, manifest := range right {
				taken += s.submit(ctx, t, mutated(t, manifest, i))
			}
		}
		for kind, good := range settled {
			s.awaitSettled(ctx, t, kind, good)
		}
		s.removeAll(ctx, t, right)
	}
	t.Logf("%d of %d manifests have been taken", taken, *mutations*len(right))
	if taken < *mutations {
		t.Error("that is too few to tell anything")
	}
	if after, err := s.PID(localcluster.OperatorsComponent); err != nil || after != before {
		t.Errorf("the operators' process was %d and is %d: %v", before, after, err)
	}
	s.tellsMetrics(ctx, t, `controller_runtime_reconcile_panics_total{controller="sparkapplication"} 0`,
		`controller_runtime_reconcile_panics_total{controller="scheduledsparkapplication"} 0`,
		`controller_runtime_reconcile_panics_total{controller="sparkconnect"} 0`, `controller_runtime_reconcile_panics_total{controller="tensorflow"} 0`)
}

func rightManifests(t *testing.T) []*unstructured.Unstructured {
	t.Helper()
	file, err := os.ReadFile("testdata/right.yaml")
	if err != nil {
		t.Fatal(err)
	}
	right, err := testcluster.Objects(string(file), "SparkApplication", "ScheduledSparkApplication", "SparkConnect", "TFJob")
	if err != nil || len(right) != len(settled) {
		t.Fatalf("there are %d manifests: %v", len(right), err)
	}
	return right
}

// mutated is a manifest that is wrong in one to three places, always the same ones for a
// seed.
func mutated(t *testing.T, right *unstructured.Unstructured, seed int) *unstructured.Unstructured {
	t.Helper()
	spec := rapid.Custom(func(t *rapid.T) any {
		spec := right.DeepCopy().Object["spec"]
		for range rapid.IntRange(1, 3).Draw(t, "mutations") {
			spec = mutation.Of(t, spec)
		}
		return spec
	}).Example(seed)
	wrong := right.DeepCopy()
	wrong.Object["spec"] = spec
	wrong.SetNamespace(testcluster.Namespace)
	wrong.SetName(right.GetName() + "-" + strconv.Itoa(seed))
	return wrong
}

// submit returns 1 if the API server takes an object, and 0 if it refuses it.
func (s *stage) submit(ctx context.Context, t *testing.T, object *unstructured.Unstructured) int {
	t.Helper()
	switch err := s.client.Create(ctx, object); {
	case err == nil:
		return 1
	case !apierrors.IsInvalid(err) && !apierrors.IsBadRequest(err):
		t.Fatalf("%s: %v", object.GetName(), err)
	}
	return 0
}

func (s *stage) awaitSettled(ctx context.Context, t *testing.T, kind schema.GroupVersionResource, good func(*unstructured.Unstructured) bool) {
	t.Helper()
	var waits []unstructured.Unstructured
	err := s.AwaitAll(ctx, kind, "each has come to something", func(all []unstructured.Unstructured) bool {
		waits = nil
		for _, u := range all {
			if !good(&u) {
				waits = append(waits, u)
			}
		}
		return len(waits) == 0
	})
	if err != nil {
		for _, u := range waits {
			manifest, _ := json.Marshal(u.Object)
			t.Logf("%s", manifest)
		}
		t.Fatal(err)
	}
}

// removeAll deletes all jobs, and waits until nothing of them is left.
func (s *stage) removeAll(ctx context.Context, t *testing.T, kinds []*unstructured.Unstructured) {
	t.Helper()
	for _, kind := range kinds {
		if err := s.client.DeleteAllOf(ctx, kind, client.InNamespace(testcluster.Namespace)); err != nil {
			t.Fatal(err)
		}
	}
	for kind := range settled {
		s.requireNone(ctx, t, kind)
	}
	for _, kind := range []schema.GroupVersionResource{
		corev1.SchemeGroupVersion.WithResource("pods"), corev1.SchemeGroupVersion.WithResource("services"),
		corev1.SchemeGroupVersion.WithResource("configmaps"), corev1.SchemeGroupVersion.WithResource("secrets"),
		corev1.SchemeGroupVersion.WithResource("persistentvolumeclaims"), networkingv1.SchemeGroupVersion.WithResource("ingresses"),
		networkingv1.SchemeGroupVersion.WithResource("networkpolicies"), testcluster.PodGroups, muster.ReservationResource,
	} {
		s.requireNone(ctx, t, kind)
	}
}

// requireNone waits until there are no objects of a kind but the cluster's own.
func (s *stage) requireNone(ctx context.Context, t *testing.T, kind schema.GroupVersionResource) {
	t.Helper()
	err := s.AwaitAll(ctx, kind, "there is none", func(all []unstructured.Unstructured) bool {
		for _, u := range all {
			if !strings.HasPrefix(u.GetName(), "kube") {
				return false
			}
		}
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
}
