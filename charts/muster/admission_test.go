package chart

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/kubeflow/spark-operator/v2/api/v1alpha1"
	"github.com/kubeflow/spark-operator/v2/api/v1beta2"
	kubeflow "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	v1 "k8s.io/api/admissionregistration/v1"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/version"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/admission/plugin/cel"
	"k8s.io/apiserver/pkg/admission/plugin/policy/validating"
	"k8s.io/apiserver/pkg/admission/plugin/webhook/matchconditions"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/cel/environment"
	"pgregory.net/rapid"
	"sigs.k8s.io/yaml"

	"muster.sh/muster/internal/mutation"
	"muster.sh/muster/operators/spark/connect"
	"muster.sh/muster/operators/spark/plan"
	"muster.sh/muster/operators/spark/schedule"
	tensorflow "muster.sh/muster/operators/tensorflow/plan"
)

// oldest is the oldest Kubernetes that has to understand the rules.
var oldest = version.MajorMinor(1, 34)

// rule is one policy, as an API server compiles it.
type rule struct {
	resources []string
	validator validating.Validator
}

func rules(t *testing.T) []rule {
	t.Helper()
	var all []rule
	for _, a := range JobAdmissions() {
		if a.Binding.Spec.PolicyName != a.Policy.Name {
			t.Errorf("policy %s is bound by none", a.Policy.Name)
		}
		r := rule{validator: compile(t, a.Policy)}
		for _, match := range a.Policy.Spec.MatchConstraints.ResourceRules {
			r.resources = append(r.resources, match.Resources...)
		}
		all = append(all, r)
	}
	return all
}

func compile(t *testing.T, policy *v1.ValidatingAdmissionPolicy) validating.Validator {
	t.Helper()
	compiler, err := cel.NewCompositedCompiler(environment.MustBaseEnvSet(oldest))
	if err != nil {
		t.Fatal(err)
	}
	spec := &policy.Spec
	for _, v := range spec.Variables {
		result := compiler.CompileAndStoreVariable(&validating.Variable{Name: v.Name, Expression: v.Expression}, cel.OptionalVariableDeclarations{}, environment.NewExpressions)
		if result.Error != nil {
			t.Fatalf("%s: variable %s: %v", policy.Name, v.Name, result.Error)
		}
	}
	condition := func(expressions []cel.ExpressionAccessor) cel.ConditionEvaluator {
		compiled := compiler.CompileCondition(expressions, cel.OptionalVariableDeclarations{}, environment.NewExpressions)
		for _, err := range compiled.CompilationErrors() {
			t.Errorf("%s: %v", policy.Name, err)
		}
		return compiled
	}
	var matches, validations, messages []cel.ExpressionAccessor
	for i := range spec.MatchConditions {
		matches = append(matches, (*matchconditions.MatchCondition)(&spec.MatchConditions[i]))
	}
	for _, v := range spec.Validations {
		validations = append(validations, &validating.ValidationCondition{Expression: v.Expression, Message: v.Message, Reason: v.Reason})
		var message cel.ExpressionAccessor
		if v.MessageExpression != "" {
			message = &validating.MessageExpressionCondition{MessageExpression: v.MessageExpression}
		}
		messages = append(messages, message)
	}
	matcher := matchconditions.NewMatcher(condition(matches), spec.FailurePolicy, "policy", "validate", policy.Name)
	return validating.NewValidator(condition(validations), matcher, condition(nil), condition(messages), spec.FailurePolicy, nil)
}

// decide is what the rules say of an object that is to be created: why it is refused, or
// why a rule can't be read.
func decide(t *rapid.T, all []rule, resource schema.GroupVersionResource, object *unstructured.Unstructured) (refused, unread []string) {
	kind := object.GroupVersionKind()
	attributes := admission.NewAttributesRecord(object, nil, kind, object.GetNamespace(), object.GetName(), resource, "", admission.Create, nil, false, nil)
	versioned := &admission.VersionedAttributes{Attributes: attributes, VersionedObject: admission.NewLazyObject(object), VersionedKind: kind}
	for _, r := range all {
		if !slices.Contains(r.resources, resource.Resource) {
			continue
		}
		for _, d := range r.validator.Validate(t.Context(), resource, versioned, nil, nil, celconfig.RuntimeCELCostBudget, nil).Decisions {
			switch d.Evaluation {
			case validating.EvalDeny:
				refused = append(refused, d.Message)
			case validating.EvalError:
				unread = append(unread, d.Message)
			}
		}
	}
	return refused, unread
}

// kind is a kind of jobs: a manifest that is right, and what the operator says of one.
type kind struct {
	resource schema.GroupVersionResource
	manifest string
	operator func(object []byte) error
}

const piSpec = `
  type: Scala
  mode: cluster
  sparkVersion: 4.3.0
  image: spark
  mainClass: Pi
  mainApplicationFile: local:///pi.jar
  batchScheduler: volcano
  deps: {jars: ['local:///a.jar', 'https://example.com/b.jar'], pyFiles: ['s3a://b/c.py']}
  volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]
  sparkConf: {spark.kubernetes.namespace: team-a, spark.eventLog.enabled: "false"}
  dynamicAllocation: {enabled: true, minExecutors: 1, initialExecutors: 2, maxExecutors: 3}
  driverIngressOptions: [{servicePort: 5000, servicePortName: app}]
  driver: {cores: 1, coreRequest: 500m, coreLimit: "1", memory: 512m, memoryOverhead: 1g, memoryLimit: 4g, gpu: {name: nvidia.com/gpu, quantity: 1}}
  executor: {instances: 2, cores: 1, coreLimit: "1", memory: 512m, gpu: {name: nvidia.com/gpu, quantity: 1}, nodeSelector: {a: b}}
`

var kinds = []kind{
	{v1beta2.SchemeGroupVersion.WithResource("sparkapplications"), `
apiVersion: sparkoperator.k8s.io/v1beta2
kind: SparkApplication
metadata: {name: pi, namespace: team-a, uid: uid}
spec:` + piSpec, func(object []byte) error {
		app := &v1beta2.SparkApplication{}
		if err := json.Unmarshal(object, app); err != nil {
			return err
		}
		return planned(app)
	}},
	{v1beta2.SchemeGroupVersion.WithResource("scheduledsparkapplications"), `
apiVersion: sparkoperator.k8s.io/v1beta2
kind: ScheduledSparkApplication
metadata: {name: pi, namespace: team-a, uid: uid}
spec:
 schedule: CRON_TZ=UTC 0 2 * * mon-fri
 concurrencyPolicy: Forbid
 successfulRunHistoryLimit: 3
 failedRunHistoryLimit: 3
 template:` + piSpec, func(object []byte) error {
		app := &v1beta2.ScheduledSparkApplication{}
		if err := json.Unmarshal(object, app); err != nil {
			return err
		}
		status := schedule.Next(schedule.Seen{App: app}).Status
		if status.ScheduleState == v1beta2.ScheduleStateFailedValidation {
			return fmt.Errorf("%s", status.Reason)
		}
		return planned(&v1beta2.SparkApplication{ObjectMeta: app.ObjectMeta, Spec: app.Spec.Template})
	}},
	{v1alpha1.SchemeGroupVersion.WithResource("sparkconnects"), `
apiVersion: sparkoperator.k8s.io/v1alpha1
kind: SparkConnect
metadata: {name: pi, namespace: team-a, uid: uid}
spec:
  sparkVersion: 4.3.0
  image: spark
  sparkConf: {spark.kubernetes.namespace: team-a, spark.eventLog.enabled: "false"}
  dynamicAllocation: {enabled: true, minExecutors: 1, initialExecutors: 2, maxExecutors: 3}
  server: {cores: 1, memory: 512m}
  executor: {instances: 2, cores: 1, memory: 512m}
`, func(object []byte) error {
		conn := &v1alpha1.SparkConnect{}
		if err := json.Unmarshal(object, conn); err != nil {
			return err
		}
		if _, err := connect.Service(conn); err != nil {
			return err
		}
		return planned(connect.Application(conn))
	}},
	{kubeflow.SchemeGroupVersion.WithResource("tfjobs"), `
apiVersion: kubeflow.org/v1
kind: TFJob
metadata: {name: mnist, namespace: team-a}
spec:
  successPolicy: AllWorkers
  runPolicy:
    cleanPodPolicy: All
    backoffLimit: 3
    ttlSecondsAfterFinished: 3
    activeDeadlineSeconds: 3
    schedulingPolicy: {minAvailable: 3}
  tfReplicaSpecs:
    Chief: {restartPolicy: ExitCode, template: {spec: {containers: [{name: tensorflow, image: tf}]}}}
    Worker: {replicas: 2, restartPolicy: Never, template: {spec: {containers: [{name: tensorflow, image: tf}, {name: other, image: tf}]}}}
    PS: {replicas: 2, template: {spec: {containers: [{name: tensorflow, image: tf}]}}}
`, func(object []byte) error {
		job := &kubeflow.TFJob{}
		if err := json.Unmarshal(object, job); err != nil {
			return err
		}
		return tensorflow.Validate(job).ToAggregate()
	}},
}

func planned(app *v1beta2.SparkApplication) error {
	_, err := plan.Make(app, plan.NewSubmission(app), plan.Options{})
	return err
}

// TestNothingIsRefusedThatWouldRun mutates manifests that are right. Of what the
// definition of its kind lets through, every rule can be read; and what a rule refuses,
// the operator would refuse.
func TestNothingIsRefusedThatWouldRun(t *testing.T) {
	all := rules(t)
	for _, k := range kinds {
		t.Run(k.resource.Resource, func(t *testing.T) {
			valid := definition(t, k.resource)
			right, err := yaml.YAMLToJSON([]byte(k.manifest))
			if err != nil {
				t.Fatal(err)
			}
			if err := k.operator(right); err != nil {
				t.Fatalf("the manifest to begin with is refused: %v", err)
			}
			rapid.Check(t, func(t *rapid.T) {
				object := &unstructured.Unstructured{}
				if err := object.UnmarshalJSON(right); err != nil {
					t.Fatal(err)
				}
				n := rapid.IntRange(0, 3).Draw(t, "mutations")
				for range n {
					object.Object["spec"] = mutation.Of(t, object.Object["spec"])
				}
				if !valid.Validate(object.Object).IsValid() {
					return
				}
				text, err := object.MarshalJSON()
				if err != nil {
					t.Fatal(err)
				}
				refused, unread := decide(t, all, k.resource, object)
				switch why := k.operator(text); {
				case len(unread) > 0:
					t.Fatalf("rules can't be read: %q", unread)
				case len(refused) > 0 && (why == nil || n == 0):
					t.Fatalf("it would run, and is refused: %q", refused)
				}
			})
		})
	}
}

// definition checks objects as the API server does by their kind's schema.
func definition(t *testing.T, resource schema.GroupVersionResource) validation.SchemaValidator {
	t.Helper()
	for _, crd := range JobDefinitions() {
		if crd.Spec.Names.Plural != resource.Resource {
			continue
		}
		var schema apiextensions.JSONSchemaProps
		if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(crd.Spec.Versions[0].Schema.OpenAPIV3Schema, &schema, nil); err != nil {
			t.Fatal(err)
		}
		validator, _, err := validation.NewSchemaValidator(&schema)
		if err != nil {
			t.Fatal(err)
		}
		return validator
	}
	t.Fatalf("there is no definition of %s", resource)
	return nil
}
