package sparkoperator

import (
	"context"
	"strings"
	"testing"

	"github.com/kubeflow/spark-operator/v2/api/v1alpha1"
	"github.com/kubeflow/spark-operator/v2/api/v1beta2"
	admission "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	muster "muster.sh/muster/api/v1alpha1"
	"muster.sh/muster/internal/localcluster"
	"muster.sh/muster/test/testcluster"
)

type (
	application = v1beta2.SparkApplication
	spec        = v1beta2.SparkApplicationSpec
)

// wrongSpecs are refused, in an application as in the template of a schedule.
var wrongSpecs = map[string]struct {
	change func(*spec)
	why    string
}{
	"the mode":           {func(s *spec) { s.Mode = v1beta2.DeployModeClient }, "mode: is not supported; write cluster"},
	"the version":        {func(s *spec) { s.SparkVersion = "2.4.8" }, "sparkVersion: is not of a line of Spark that is known here; use one of 3.5, "},
	"no image":           {func(s *spec) { s.Image = nil }, "image: is not set; name the image that Spark is in"},
	"no class":           {func(s *spec) { s.MainClass = nil }, "mainClass: is not set, and the jar can not be read from here; name the class"},
	"a file of a client": {func(s *spec) { s.MainApplicationFile = ptr.To("/pi.jar") }, "mainApplicationFile: is not in the image; write local://"},
	"a jar of a client":  {func(s *spec) { s.Deps.Jars = []string{"local:///a.jar", "file:/b.jar"} }, "deps.jars: has a file that is not in the image"},
	"a fraction of memory": {func(s *spec) { s.Driver.Memory = ptr.To("1.5g") },
		"driver.memory: is not a size that Spark reads; write a whole number with one of the units k, m, g or t, such as 1536m"},
	"an unknown unit":  {func(s *spec) { s.Executor.MemoryOverhead = ptr.To("1x") }, "executor.memoryOverhead: is not a size"},
	"cores in words":   {func(s *spec) { s.Executor.CoreRequest = ptr.To("half") }, "executor.coreRequest: is not an amount of CPU; write one such as 500m or 2"},
	"a GPU of no kind": {func(s *spec) { s.Executor.GPU = &v1beta2.GPUSpec{Name: "gpu", Quantity: 1} }, "executor.gpu: needs the name of a resource"},
	"no GPU of a kind": {func(s *spec) { s.Driver.GPU = &v1beta2.GPUSpec{Name: "nvidia.com/gpu"} }, "driver.gpu: needs the name of a resource, such as"},
	"selectors on both": {func(s *spec) {
		s.NodeSelector, s.Driver.NodeSelector = map[string]string{"a": "b"}, map[string]string{"a": "b"}
	}, "nodeSelector: may not be set"},
	"another master":    {func(s *spec) { s.SparkConf["spark.master"] = "local" }, "sparkConf[spark.master]: is the operator's; remove it"},
	"another namespace": {func(s *spec) { s.SparkConf["spark.kubernetes.namespace"] = "other" }, "sparkConf[spark.kubernetes.namespace]: is not the application's"},
	"a strange queue":   {func(s *spec) { s.BatchScheduler = ptr.To("slurm") }, "batchScheduler: is not supported; write muster, or leave it out"},
	"a claim on demand": {func(s *spec) {
		s.Volumes = []corev1.Volume{{Name: "a", VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "OnDemand"}}}}
	}, "volumes: the claim OnDemand is made by Spark's own settings alone"},
	"far too many":       {func(s *spec) { s.Executor.Instances = ptr.To[int32](1_000_000) }, "executor.instances: is more than the 100000"},
	"none at all":        {func(s *spec) { s.Executor.Instances = ptr.To[int32](0) }, "executor.instances: Invalid value: 0"}, // its definition knows
	"fewer than none":    {dynamic(v1beta2.DynamicAllocation{MinExecutors: ptr.To[int32](-1)}), "dynamicAllocation.minExecutors: must not be negative"},
	"more than at most":  {dynamic(v1beta2.DynamicAllocation{MinExecutors: ptr.To[int32](5), MaxExecutors: ptr.To[int32](4)}), "dynamicAllocation.maxExecutors: is less than"},
	"more to begin with": {dynamic(v1beta2.DynamicAllocation{MaxExecutors: ptr.To[int32](1)}), "dynamicAllocation.maxExecutors: is less than the executors that the application starts with"},
}

func dynamic(allocation v1beta2.DynamicAllocation) func(*spec) {
	allocation.Enabled = true
	return func(s *spec) { s.DynamicAllocation = &allocation }
}

var wrongSchedules = map[string]struct {
	change func(*scheduled)
	why    string
}{
	"the times":       {func(s *scheduled) { s.Spec.Schedule = "sometimes" }, `spec.schedule: is not a schedule; write minute, hour, day, month and weekday`},
	"four fields":     {func(s *scheduled) { s.Spec.Schedule = "0 2 * *" }, "spec.schedule: is not a schedule"},
	"the policy":      {func(s *scheduled) { s.Spec.ConcurrencyPolicy = "Queue" }, "spec.concurrencyPolicy: is not supported; write Allow, Forbid or Replace"},
	"fewer than none": {func(s *scheduled) { s.Spec.FailedRunHistoryLimit = ptr.To[int32](-1) }, "spec.failedRunHistoryLimit: must not be negative"},
	"too long a name": {func(s *scheduled) { s.Name = strings.Repeat("x", 53) }, "metadata.name: must be one that a Service can have; write at most 52"},
}

var wrongConnects = map[string]struct {
	change func(*v1alpha1.SparkConnect)
	why    string
}{
	"a fraction of memory": {func(c *v1alpha1.SparkConnect) { c.Spec.Server.Memory = ptr.To("1.5g") }, "spec.server.memory: is not a size"},
	"the version":          {func(c *v1alpha1.SparkConnect) { c.Spec.SparkVersion = "4" }, "spec.sparkVersion: is not of a line of Spark"},
	"a name of digits":     {func(c *v1alpha1.SparkConnect) { c.Name = "1st" }, "metadata.name: must be one that a Service can have"},
	"another master":       {func(c *v1alpha1.SparkConnect) { c.Spec.SparkConf = map[string]string{"spark.master": "local"} }, "spec.sparkConf[spark.master]: is the operator's"},
}

// refusesAtOnce has the API server refuse what is wrong, and take what is upstream's.
func (s *stage) refusesAtOnce(ctx context.Context, t *testing.T) {
	for name, wrong := range wrongSpecs {
		app := pi("wrong-spec", nil)
		wrong.change(&app.Spec)
		s.requireRefused(ctx, t, name, app, "spec."+wrong.why)
		template := every("wrong-template", 1, nil)
		wrong.change(&template.Spec.Template)
		s.requireRefused(ctx, t, name, template, "spec.template."+wrong.why)
	}
	for name, wrong := range wrongSchedules {
		s.requireRefused(ctx, t, name, every("wrong-schedule", 1, wrong.change), wrong.why)
	}
	for name, wrong := range wrongConnects {
		conn := &v1alpha1.SparkConnect{
			ObjectMeta: metav1.ObjectMeta{Name: "wrong-connect", Namespace: testcluster.Namespace},
			Spec:       v1alpha1.SparkConnectSpec{SparkVersion: "4.3.0", Image: ptr.To("spark")},
		}
		wrong.change(conn)
		s.requireRefused(ctx, t, name, conn, wrong.why)
	}
	s.requireRefused(ctx, t, "a name of digits", pi("1st", nil), "metadata.name: must be one that a Service can have")
	s.requireRefused(ctx, t, "retries in words", pi("wrong-retries", func(app *application) {
		app.Annotations = map[string]string{muster.InfrastructureRetriesAnnotation: "many"}
	}), "metadata.annotations[muster.sh/infrastructure-retries]: is not a whole number from 0 to 1000")
	samples := testcluster.Samples(t, "github.com/kubeflow/spark-operator/v2", "examples", "SparkApplication", "ScheduledSparkApplication", "SparkConnect")
	if len(samples) < 14 {
		t.Errorf("there are only %d samples", len(samples))
	}
	for _, sample := range samples {
		sample.SetNamespace(testcluster.Namespace)
		sample.SetName("sample-" + sample.GetName()) // one is of the guide as well
		if err := s.client.Create(ctx, sample, client.DryRunAll); err != nil {
			t.Errorf("upstream's %s: %v", sample.GetName(), err)
		}
	}
}

func (s *stage) requireRefused(ctx context.Context, t *testing.T, name string, object client.Object, why string) {
	t.Helper()
	err := s.client.Create(ctx, object, client.DryRunAll)
	if !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), why) {
		t.Errorf("%s: %v; want %q", name, err, why)
	}
}

// bearsOldMistakes stores an application while nothing refuses it. Afterwards its state
// is told, and it can be labelled and deleted, but not be edited to another mistake.
func (s *stage) bearsOldMistakes(ctx context.Context, t *testing.T) {
	const policy = "spark.muster.sh"
	binding := &admission.ValidatingAdmissionPolicyBinding{ObjectMeta: metav1.ObjectMeta{Name: policy}}
	if err := s.client.Get(ctx, client.ObjectKeyFromObject(binding), binding); err != nil {
		t.Fatal(err)
	}
	if err := s.client.Delete(ctx, binding); err != nil {
		t.Fatal(err)
	}
	old := pi("old", func(app *application) { app.Spec.Driver.Memory = ptr.To("1.5g") })
	testcluster.AwaitAdmission(ctx, t, s.client, old, true)
	s.create(ctx, t, old)
	binding.ResourceVersion = ""
	if err := s.client.Create(ctx, binding); err != nil {
		t.Fatal(err)
	}
	testcluster.AwaitAdmission(ctx, t, s.client, pi("new", func(app *application) { app.Spec.Driver.Memory = ptr.To("1.5g") }), false)
	s.awaitState(ctx, t, "old", v1beta2.ApplicationStateFailed)
	s.edit(ctx, t, "old", func(app *application) {
		app.Labels, app.Finalizers = map[string]string{"a": "b"}, []string{"example.com/kept"}
	})
	app := s.awaitState(ctx, t, "old", v1beta2.ApplicationStateFailed)
	edited := app.DeepCopy()
	edited.Spec.Driver.Memory = ptr.To("2.5g")
	if err := s.client.Patch(ctx, edited, client.MergeFrom(app)); !apierrors.IsInvalid(err) {
		t.Errorf("an edit to another mistake: %v", err)
	}
	if err := s.client.Delete(ctx, app); err != nil {
		t.Fatal(err)
	}
	s.edit(ctx, t, "old", func(app *application) { app.Finalizers = nil })
	s.awaitGone(ctx, t, &v1beta2.SparkApplicationList{}, "old")
}

// failsAlone stores an application with a template that is none, which its definition
// takes. It says so, and another one runs all the same.
func (s *stage) failsAlone(ctx context.Context, t *testing.T) {
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(pi("unreadable", nil))
	if err != nil {
		t.Fatal(err)
	}
	unreadable := &unstructured.Unstructured{Object: fields}
	unreadable.SetGroupVersionKind(v1beta2.SchemeGroupVersion.WithKind("SparkApplication"))
	labels := map[string]any{"a": true}
	if err := unstructured.SetNestedMap(unreadable.Object, labels, "spec", "driver", "template", "metadata", "labels"); err != nil {
		t.Fatal(err)
	}
	if err := s.client.Create(ctx, unreadable); err != nil {
		t.Fatal(err)
	}
	applications := v1beta2.SchemeGroupVersion.WithResource("sparkapplications")
	err = s.Await(ctx, applications, "unreadable", "it says what is wrong", func(u *unstructured.Unstructured) bool {
		why, _, _ := unstructured.NestedString(u.Object, "status", "applicationState", "errorMessage")
		return strings.HasPrefix(why, "spec.driver.template: is not a pod template: ")
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Outage(ctx, localcluster.OperatorsComponent); err != nil { // It reads all anew.
		t.Fatal(err)
	}
	s.create(ctx, t, pi("beside", nil))
	s.awaitState(ctx, t, "beside", v1beta2.ApplicationStateCompleted)
	if err := s.client.Delete(ctx, unreadable); err != nil {
		t.Fatal(err)
	}
}
