package submission

import (
	"slices"

	corev1 "k8s.io/api/core/v1"

	"muster.sh/muster/internal/sparkconf"
)

// Build makes the objects of an application. The error is a *sparkconf.KeyError.
func Build(app Application, id Identity) (Objects, error) {
	props, err := prepare(app, id)
	if err != nil {
		return Objects{}, err
	}
	b := newBuilder(app, id, props)
	for _, step := range b.steps() {
		step.take(b)
	}
	b.mountProperties()
	b.check()
	if err := b.conf.Err(); err != nil {
		return Objects{}, err
	}
	b.pod.Spec.Containers = append(b.pod.Spec.Containers, b.container)
	return Objects{Driver: b.pod, Owned: b.owned}, nil
}

// builder holds the objects as far as the steps have come.
type builder struct {
	app  Application
	id   Identity
	line line
	// conf reads the settings as they were submitted.
	conf *sparkconf.Reader
	// stored are the settings that the driver will read: those submitted, and what the
	// steps add.
	stored sparkconf.Properties

	prefix    string
	namespace string
	labels    map[string]string

	pod *corev1.Pod
	// container is Spark's own in the pod.
	container corev1.Container
	owned     []Object
}

// step is one of Spark's feature steps.
type step struct {
	// class is the name by which a setting can exclude the step.
	class string
	take  func(*builder)
}

const (
	keyFeatureSteps  = "spark.kubernetes.driver.pod.featureSteps"
	keyExcludedSteps = "spark.kubernetes.driver.pod.excludedFeatureSteps"
)

// steps are Spark's own, in its order, without those that a setting excludes.
func (b *builder) steps() []step {
	steps := []step{
		{"BasicDriverFeatureStep", (*builder).basics},
		{"DriverKubernetesCredentialsFeatureStep", (*builder).credentials},
		{"DriverServiceFeatureStep", (*builder).service},
		{"NetworkPolicyFeatureStep", (*builder).networkPolicy},
		{"MountSecretsFeatureStep", (*builder).secretMounts},
		{"EnvSecretsFeatureStep", (*builder).secretVariables},
		{"MountVolumesFeatureStep", (*builder).volumes},
		{"DriverCommandFeatureStep", (*builder).command},
		{"HadoopConfDriverFeatureStep", (*builder).hadoop},
		{"KerberosConfDriverFeatureStep", (*builder).kerberos},
		{"PodTemplateConfigMapStep", (*builder).executorTemplate},
		{"LocalDirsFeatureStep", (*builder).localDirs},
	}
	if key, classes, found := b.conf.Text(keyFeatureSteps); found && len(list(classes)) > 0 {
		b.conf.Fail(key, classes, "names code that only a JVM can run", "remove it, and use a pod template instead")
	}
	_, classes, found := b.conf.Text(keyExcludedSteps)
	if !found || !b.line.excludesSteps {
		return steps
	}
	excluded := list(classes)
	return slices.DeleteFunc(steps, func(s step) bool {
		return slices.Contains(excluded, "org.apache.spark.deploy.k8s.features."+s.class)
	})
}

func newBuilder(app Application, id Identity, props sparkconf.Properties) *builder {
	conf := sparkconf.NewReader(props, app.SparkVersion)
	b := &builder{app: app, id: id, conf: conf, line: lineOf(conf), stored: sparkconf.Properties{}}
	for key, value := range props {
		b.stored[key] = value
	}
	b.prefix = namePrefix(props[keyAppName], id.UniqueID)
	b.namespace = "default"
	if _, namespace, found := conf.Text(keyNamespace); found {
		b.namespace = namespace
	}
	b.begin()
	return b
}

// begin takes the pod and Spark's container from the template.
func (b *builder) begin() {
	b.pod = &corev1.Pod{}
	key, file, named := b.conf.Text(keyDriverTemplate)
	if b.app.DriverTemplate == nil {
		if named {
			b.conf.Fail(key, file, "is a file that can't be read from here", "give the driver's pod template itself")
		}
		return
	}
	b.pod.ObjectMeta = *b.app.DriverTemplate.ObjectMeta.DeepCopy()
	b.pod.Spec = *b.app.DriverTemplate.Spec.DeepCopy()
	_, name, _ := b.conf.Text(keyDriverTemplateContainer)
	b.container, b.pod.Spec.Containers = sparkconf.SplitTemplate(b.pod.Spec.Containers, name)
}

// mount adds a volume to the pod and to Spark's container.
func (b *builder) mount(volume corev1.Volume, mount corev1.VolumeMount) {
	mount.Name = volume.Name
	b.pod.Spec.Volumes = append(b.pod.Spec.Volumes, volume)
	b.container.VolumeMounts = append(b.container.VolumeMounts, mount)
}

func (b *builder) setEnv(name, value string) {
	b.container.Env = append(b.container.Env, corev1.EnvVar{Name: name, Value: value})
}
