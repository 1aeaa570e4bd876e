package plan

import (
	"errors"
	"fmt"
	"strings"

	"github.com/kubeflow/spark-operator/v2/api/v1beta2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"muster.sh/muster/api/v1alpha1"
	"muster.sh/muster/internal/sparkconf"
	"muster.sh/muster/operators/spark/submission"
)

// Options are the administrator's.
type Options struct {
	// SchedulerName is the scheduler of applications that ask for a batch scheduler, or
	// for none at all. If it is empty, the latter have the cluster's usual one.
	SchedulerName string
	// User is the name of the user that drivers act as towards Hadoop's file systems.
	User string
	// Ingress tells of Ingresses for drivers.
	Ingress IngressOptions
}

// Plan is what one submission creates.
type Plan struct {
	// WebUI makes the driver's pages known, and Ports other ports of the driver.
	WebUI Exposure
	Ports []Exposure
	// Objects are those that Spark's own client would create, and what the driver needs
	// besides. The driver's pod belongs to the SparkApplication, the others to that pod.
	submission.Objects
	// Notes tell the user of fields that have no effect, and why.
	Notes []string
}

// Make plans one submission of an application. The application isn't changed.
func Make(app *v1beta2.SparkApplication, s Submission, options Options) (Plan, error) {
	if why := app.Annotations[v1alpha1.UnreadableAnnotation]; why != "" {
		return Plan{}, errors.New(why)
	}
	p := &planner{
		app: app.DeepCopy(), submission: s, options: options,
		settings: settings{props: sparkconf.Properties{}, origin: map[string]*field.Path{}},
	}
	v1beta2.SetSparkApplicationDefaults(p.app)
	p.errs = append(p.errs, validate(p.app)...)
	p.schedule()
	p.monitor()
	p.applicationSettings()
	driver, executor := p.driver(), p.executor()
	p.roleSettings(driver)
	p.roleSettings(executor)
	p.driverSettings()
	p.executorSettings()
	p.webUIAddress()
	if err := p.errs.ToAggregate(); err != nil {
		return Plan{}, err
	}
	return p.build(driver, executor)
}

// planner holds the plan as far as it has come.
type planner struct {
	app        *v1beta2.SparkApplication
	submission Submission
	options    Options
	settings   settings
	// metrics is the configuration of the application's metrics, if it has any.
	metrics *corev1.ConfigMap
	// webUIAt is where the driver's pages are found from outside; nil if they aren't.
	webUIAt *address
	plan    Plan
	errs    field.ErrorList
}

func (p *planner) build(driver, executor role) (Plan, error) {
	application := submission.Application{
		SparkVersion: p.app.Spec.SparkVersion, Properties: p.settings.props,
		MainClass: text(p.app.Spec.MainClass), Resource: text(p.app.Spec.MainApplicationFile), Args: p.app.Spec.Arguments,
		ProxyUser: text(p.app.Spec.ProxyUser), User: p.options.User,
		DriverTemplate: p.template(driver),
	}
	var err error
	if application.ExecutorTemplate, err = p.executorTemplate(executor); err != nil {
		return Plan{}, err
	}
	if err := p.errs.ToAggregate(); err != nil {
		return Plan{}, err
	}
	objects, err := submission.Build(application, p.submission.Identity)
	if err != nil {
		return Plan{}, p.settings.fieldError(err)
	}
	p.finish(objects.Driver, driver)
	p.publish(objects)
	p.plan.WebUI, p.plan.Ports = p.webUI(objects.Driver), p.driverPorts()
	if p.metrics != nil {
		objects.Owned = append([]submission.Object{p.metrics}, objects.Owned...)
	}
	if err := p.errs.ToAggregate(); err != nil {
		return Plan{}, err
	}
	p.plan.Objects = objects
	return p.plan, nil
}

// settings are Spark's, and the fields that they come from.
type settings struct {
	props  sparkconf.Properties
	origin map[string]*field.Path
}

func (s *settings) set(path *field.Path, key, value string) {
	s.props[key], s.origin[key] = value, path
}

// setAll sets one setting for each entry of a map.
func (s *settings) setAll(path *field.Path, prefix string, values map[string]string) {
	for key, value := range values {
		s.set(path.Key(key), prefix+key, value)
	}
}

// setField sets a setting from a field, unless the field is empty.
func setField[T any](s *settings, path *field.Path, key string, value *T) {
	if value == nil {
		return
	}
	if written := fmt.Sprint(*value); written != "" {
		s.set(path, key, written)
	}
}

// fieldError names the field that a refused setting comes from.
func (s *settings) fieldError(err error) error {
	var refusal *sparkconf.KeyError
	if !errors.As(err, &refusal) {
		return err
	}
	path, known := s.origin[refusal.Key]
	switch {
	case known:
	case strings.HasPrefix(refusal.Key, "spark."):
		path = specPath.Child("sparkConf").Key(refusal.Key)
	default:
		path = specPath.Child(refusal.Key)
	}
	return field.Invalid(path, refusal.Value, refusal.Why+"; "+refusal.Cure)
}

var specPath = field.NewPath("spec")

// text is what a field says, empty if it isn't there.
func text(value *string) string {
	if value == nil {
		return ""
	}
	return *value
}

// finish makes the driver's pod belong to the application, and says last what has to
// win over what Spark says of the container.
func (p *planner) finish(driver *corev1.Pod, r role) {
	driver.OwnerReferences = append(driver.OwnerReferences, ownerReference(p.app))
	container := sparkContainer(&driver.Spec)
	container.Env = append(container.Env, r.pod.Env...)
	container.Env = append(container.Env, p.configFolders()...)
	if limit, found := p.memoryLimit(r); found {
		request := container.Resources.Requests[corev1.ResourceMemory]
		if limit.Cmp(request) < 0 {
			p.errs = append(p.errs, field.Invalid(r.path.Child("memoryLimit"), text(r.pod.MemoryLimit),
				fmt.Sprintf("is less than the request, %s; raise it, or lower memory or memoryOverhead", request.String())))
		}
		container.Resources.Limits[corev1.ResourceMemory] = limit
	}
}

// keyNotReady is a setting of newer lines, by which publish is forbidden in all.
const keyNotReady = "spark.kubernetes.driver.service.publishNotReadyAddresses"

// publish has the driver's Service lead to it before it is ready, where a probe says when
// that is. In lines up to 4.0 executors find the driver by its Service, and one that is
// ready once they are there would wait for them in vain.
func (p *planner) publish(objects submission.Objects) {
	container := sparkContainer(&objects.Driver.Spec)
	if container.ReadinessProbe == nil && container.StartupProbe == nil || strings.EqualFold(p.settings.props[keyNotReady], "false") {
		return
	}
	for _, object := range objects.Owned {
		if service, ok := object.(*corev1.Service); ok {
			service.Spec.PublishNotReadyAddresses = true
		}
	}
}

// sparkContainer is the one that Spark's client puts at the end.
func sparkContainer(spec *corev1.PodSpec) *corev1.Container {
	return &spec.Containers[len(spec.Containers)-1]
}
