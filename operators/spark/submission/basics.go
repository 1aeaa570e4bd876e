package submission

import (
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	"muster.sh/muster/internal/sparkconf"
)

const (
	keyImage           = "spark.kubernetes.container.image"
	keyDriverImage     = "spark.kubernetes.driver.container.image"
	keyPullPolicy      = "spark.kubernetes.container.image.pullPolicy"
	keyPullSecrets     = "spark.kubernetes.container.image.pullSecrets" //nolint:gosec // This is the name of a setting.
	keyDriverPodName   = "spark.kubernetes.driver.pod.name"
	keyScheduler       = "spark.kubernetes.scheduler.name"
	keyDriverScheduler = "spark.kubernetes.driver.scheduler.name"
	keyEscalation      = "spark.kubernetes.driver.securityContext.allowPrivilegeEscalation"
	keyEscalationBoth  = "spark.kubernetes.securityContext.allowPrivilegeEscalation"

	prefixLabel          = "spark.kubernetes.driver.label."
	prefixAnnotation     = "spark.kubernetes.driver.annotation."
	prefixEnv            = "spark.kubernetes.driverEnv."
	prefixSelector       = "spark.kubernetes.node.selector."
	prefixDriverSelector = "spark.kubernetes.driver.node.selector."

	labelAppName = "spark-app-name"
)

// basics names the pod and its container and says what it runs on.
func (b *builder) basics() {
	b.labels = b.driverLabels()
	b.metadata()
	b.placement()
	b.image()
	for _, p := range b.ports() {
		b.container.Ports = append(b.container.Ports, corev1.ContainerPort{
			Name: p.name, ContainerPort: p.inPod, Protocol: corev1.ProtocolTCP,
		})
	}
	b.environment()
	resources := b.conf.DriverResources(b.app.jvm())
	b.container.Resources.Requests = merged(b.container.Resources.Requests, resources.Requests)
	b.container.Resources.Limits = merged(b.container.Resources.Limits, resources.Limits)
	b.privileges()

	b.stored[keyDriverPodName] = b.pod.Name
	b.stored["spark.app.id"] = b.id.AppID
	b.stored["spark.kubernetes.submitInDriver"] = "true"
	b.stored[sparkconf.CommonFactorKey] = b.conf.CommonFactor(b.app.jvm())
}

// driverLabels are the user's and those that Spark finds its pods by.
func (b *builder) driverLabels() map[string]string {
	own := map[string]string{
		sparkconf.LabelVersion: b.app.SparkVersion,
		sparkconf.LabelAppID:   b.id.AppID,
		sparkconf.LabelRole:    sparkconf.RoleDriver,
		labelAppName:           nameLabel(b.stored[keyAppName]),
	}
	labels := b.conf.WithPrefix(prefixLabel)
	if b.line.idInLabels {
		labels = b.substituted(prefixLabel)
	}
	for key := range own {
		if value, set := labels[key]; set {
			b.conf.Fail(prefixLabel+key, value, "is a label that Spark sets itself", "remove it")
		}
	}
	return merged(labels, own)
}

// substituted are the settings with a prefix, with what stands for names in them.
func (b *builder) substituted(prefix string) map[string]string {
	found := b.conf.WithPrefix(prefix)
	names := strings.NewReplacer("{{APP_ID}}", b.id.AppID, "{{EXECUTOR_ID}}", "")
	for key, value := range found {
		found[key] = names.Replace(value)
	}
	return found
}

func (b *builder) metadata() {
	b.pod.Name = b.prefix + "-driver"
	if _, name, found := b.conf.Text(keyDriverPodName); found {
		b.pod.Name = name
	}
	b.pod.Namespace = b.namespace
	b.pod.Labels = merged(b.pod.Labels, b.labels)
	b.pod.Annotations = merged(b.pod.Annotations, b.substituted(prefixAnnotation))
}

func (b *builder) placement() {
	b.pod.Spec.RestartPolicy = corev1.RestartPolicyNever
	b.pod.Spec.NodeSelector = merged(b.pod.Spec.NodeSelector,
		merged(b.conf.WithPrefix(prefixSelector), b.conf.WithPrefix(prefixDriverSelector)))
	if _, name, found := b.conf.Text(keyDriverScheduler, keyScheduler); found {
		b.pod.Spec.SchedulerName = name
	}
}

func (b *builder) image() {
	_, image, found := b.conf.Text(keyDriverImage, keyImage)
	if !found {
		b.conf.Fail(keyImage, "", "is not set", "name the image that Spark is in")
	}
	if b.line.versionInImage {
		image = strings.ReplaceAll(image, "{{SPARK_VERSION}}", b.app.SparkVersion)
	}
	b.container.Image = image
	b.container.ImagePullPolicy = corev1.PullPolicy(b.oneOf(keyPullPolicy, "IfNotPresent", "Always", "Never"))
	if b.container.Name == "" {
		b.container.Name = "spark-kubernetes-driver"
	}
	_, secrets, _ := b.conf.Text(keyPullSecrets)
	for _, name := range list(secrets) {
		b.pod.Spec.ImagePullSecrets = append(b.pod.Spec.ImagePullSecrets, corev1.LocalObjectReference{Name: name})
	}
}

func (b *builder) environment() {
	user := b.app.User
	if b.app.ProxyUser != "" && b.line.proxyIsUser {
		user = b.app.ProxyUser
	}
	b.setEnv("SPARK_USER", user)
	b.setEnv("SPARK_APPLICATION_ID", b.id.AppID)
	variables := b.conf.WithPrefix(prefixEnv)
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		b.setEnv(name, variables[name])
	}
	b.container.Env = append(b.container.Env, corev1.EnvVar{
		Name: "SPARK_DRIVER_BIND_ADDRESS",
		ValueFrom: &corev1.EnvVarSource{
			FieldRef: &corev1.ObjectFieldSelector{APIVersion: "v1", FieldPath: "status.podIP"},
		},
	})
}

// privileges says whether a process in the container may gain more of them.
func (b *builder) privileges() {
	if !b.line.limitsPrivileges {
		return
	}
	if b.container.SecurityContext == nil {
		b.container.SecurityContext = &corev1.SecurityContext{}
	}
	b.container.SecurityContext.AllowPrivilegeEscalation = ptr.To(b.conf.Boolean(keyEscalation, b.conf.Boolean(keyEscalationBoth, false)))
}

// oneOf reads a setting that has few values, of which the first is the usual one.
func (b *builder) oneOf(key string, values ...string) string {
	_, value, found := b.conf.Text(key)
	if !found {
		return values[0]
	}
	if !slices.Contains(values, value) {
		b.conf.Fail(key, value, "is not one of "+strings.Join(values, ", "), "write one of them")
	}
	return value
}

// merged is a copy of the first map with what the second has to say.
func merged[M ~map[K]V, K comparable, V any](first, second M) M {
	if len(first)+len(second) == 0 {
		return nil
	}
	both := make(M, len(first)+len(second))
	maps.Copy(both, first)
	maps.Copy(both, second)
	return both
}
