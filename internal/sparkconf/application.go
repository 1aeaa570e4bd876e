package sparkconf

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	nodev1 "k8s.io/api/node/v1"
	"k8s.io/apimachinery/pkg/util/validation"
)

const (
	keyAppID             = "spark.app.id"
	keyNamespace         = "spark.kubernetes.namespace"
	keyAllocator         = "spark.kubernetes.allocation.pods.allocator"
	keyScheduler         = "spark.kubernetes.scheduler.name"
	keyExecutorScheduler = "spark.kubernetes.executor.scheduler.name"
	prefixSelector       = "spark.kubernetes.node.selector."
	prefixExecSelector   = "spark.kubernetes.executor.node.selector."
)

// Names of Spark's own executor allocators. Any other value of
// Application.Allocator is the class name of a user's own.
const (
	AllocatorDirect      = "direct"
	AllocatorStatefulSet = "statefulset"
	AllocatorDeployment  = "deployment"
)

// Inputs is what decides about executors besides the properties.
type Inputs struct {
	// Driver is the driver pod, or nil if the driver runs outside the cluster.
	Driver *corev1.Pod
	// SparkVersion is the version of Spark, such as 4.3.0. If it is empty, the
	// driver's label tells it; without one the newest known line counts.
	SparkVersion string
	// Template is the executor pod template. It must be there if the properties
	// name one.
	Template *corev1.Pod
	// RuntimeClass finds a RuntimeClass by its name; it returns nil if there is
	// none. It may be nil if the cluster has no runtime classes.
	RuntimeClass func(name string) *nodev1.RuntimeClass
	// LimitRanges are those of the namespace that the executors run in.
	LimitRanges []*corev1.LimitRange
	// MinExecutorsFloor is the least minimum of an application with dynamic
	// allocation, which by Spark's own rule may be 0. Values below 1 count as 1.
	MinExecutorsFloor int
}

// Application is what an application asks for besides its driver pod.
type Application struct {
	// AppID is the value of LabelAppID on all pods of the application. It is
	// empty in client mode, where the driver makes it up.
	AppID string
	// Executors are the numbers of executors.
	Executors Executors
	// ExecutorPod is an executor pod of the default resource profile as the API
	// server will store it, as far as placement depends on it.
	ExecutorPod corev1.PodSpec
	// Allocator says how executors are made: one of the Allocator constants or
	// the name of a class.
	Allocator string
	// SchedulerName is the scheduler of the executors. The driver may have
	// another.
	SchedulerName string
}

// Parse computes what an application asks for. The error is a *KeyError.
func Parse(props Properties, in Inputs) (Application, error) {
	s := &settings{props: props, version: in.line()}
	app := Application{
		AppID:     s.appID(in.Driver),
		Allocator: s.allocator(),
		Executors: s.executorsOf(in),
	}
	s.checkNamespace(in.Driver)
	app.ExecutorPod = s.executorPod(in)
	app.SchedulerName = app.ExecutorPod.SchedulerName
	if s.err != nil {
		return Application{}, s.err
	}
	return app, nil
}

func (s *settings) executorsOf(in Inputs) Executors {
	floor := max(in.MinExecutorsFloor, 1)
	counts := s.executors(floor)
	if in.Driver == nil {
		return counts
	}
	return s.override(counts, in.Driver.Annotations, floor)
}

// executorPod builds the pod from the template and the settings.
func (s *settings) executorPod(in Inputs) corev1.PodSpec {
	spec, containerName := s.template(in.Template)
	spark, others := SplitTemplate(spec.Containers, containerName)
	spec.Containers = slices.Concat(others, []corev1.Container{s.container(spark)})
	s.selectNodes(&spec)
	if _, name, found := s.text(keyExecutorScheduler, keyScheduler); found {
		spec.SchedulerName = name
	}
	var class *nodev1.RuntimeClass
	if spec.RuntimeClassName != nil && in.RuntimeClass != nil {
		class = in.RuntimeClass(*spec.RuntimeClassName)
	}
	s.admit(&spec, in.LimitRanges, class)
	s.check(&spec)
	return spec
}

// template returns a copy of the pod template's spec, empty if the application
// has none, and the name of the container that Spark takes.
func (s *settings) template(template *corev1.Pod) (spec corev1.PodSpec, container string) {
	key, file, found := s.text(keyTemplateFile)
	if !found {
		return corev1.PodSpec{}, ""
	}
	if template == nil {
		s.fail(key, file, "names an executor pod template that can't be read from here",
			"submit in cluster mode, where Spark stores it in a ConfigMap")
		return corev1.PodSpec{}, ""
	}
	_, container, _ = s.text(keyTemplateContainer)
	return *template.Spec.DeepCopy(), container
}

// selectNodes adds the node selectors for all pods, then those for executors,
// which win.
func (s *settings) selectNodes(spec *corev1.PodSpec) {
	for _, prefix := range []string{prefixSelector, prefixExecSelector} {
		found := s.withPrefix(prefix)
		for _, label := range slices.Sorted(maps.Keys(found)) {
			problems := append(validation.IsQualifiedName(label), validation.IsValidLabelValue(found[label])...)
			if len(problems) > 0 {
				s.fail(prefix+label, found[label], "is not a label of a node: "+strings.Join(problems, ", "), "correct the node selector")
			}
			spec.NodeSelector = set(spec.NodeSelector, label, found[label])
		}
	}
}

func (in Inputs) line() line {
	version := in.SparkVersion
	if version == "" && in.Driver != nil {
		version = in.Driver.Labels[LabelVersion]
	}
	return parseLine(version)
}

func (s *settings) appID(driver *corev1.Pod) string {
	id, set := s.props[keyAppID]
	if !set && driver != nil {
		id = driver.Labels[LabelAppID]
	}
	if problems := validation.IsValidLabelValue(id); len(problems) > 0 {
		s.fail(keyAppID, id, "is not a label value: "+strings.Join(problems, ", "), "leave this setting to spark-submit")
	}
	return id
}

func (s *settings) allocator() string {
	_, name, found := s.text(keyAllocator)
	if !found {
		return AllocatorDirect
	}
	return name
}

// checkNamespace refuses executors in another namespace than their driver's:
// they couldn't be owned by it.
func (s *settings) checkNamespace(driver *corev1.Pod) {
	_, namespace, found := s.text(keyNamespace)
	if found && driver != nil && namespace != driver.Namespace {
		s.fail(keyNamespace, namespace, fmt.Sprintf("is not the driver's namespace, %s", driver.Namespace), "remove the setting")
	}
}
