package plan

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/yaml"
)

const (
	sparkConfFolder  = "/etc/spark/conf"
	hadoopConfFolder = "/etc/hadoop/conf"
	// maxVolumeName is the length of a volume's name.
	maxVolumeName = 63
)

// template is the pod that a role's pods begin as: the user's own, and what no setting
// of Spark exists for.
func (p *planner) template(r role) *corev1.Pod {
	pod := &corev1.Pod{}
	if r.pod.Template != nil {
		pod.ObjectMeta, pod.Spec = *r.pod.Template.ObjectMeta.DeepCopy(), *r.pod.Template.Spec.DeepCopy()
	}
	spec := &pod.Spec
	if len(spec.Containers) == 0 {
		spec.Containers = []corev1.Container{{Name: r.container}}
	}
	container := containerOf(spec, r)
	p.shapeContainer(container, r)
	p.shapeVolumes(spec, container, r)
	p.shapePod(spec, r)
	return pod
}

// containerOf is the container that Spark will take: the one of the usual name, else the
// first.
func containerOf(spec *corev1.PodSpec, r role) *corev1.Container {
	return &spec.Containers[max(0, slices.IndexFunc(spec.Containers, func(c corev1.Container) bool { return c.Name == r.container }))]
}

// executorTemplate is the text of the executors' template, empty if it would say
// nothing.
func (p *planner) executorTemplate(r role) (string, error) {
	pod := p.template(r)
	container := containerOf(&pod.Spec, r)
	container.Env = append(container.Env, r.pod.Env...)
	if equality.Semantic.DeepEqual(pod.Spec, corev1.PodSpec{Containers: []corev1.Container{{Name: r.container}}}) &&
		r.pod.Template == nil {
		return "", nil
	}
	pod.APIVersion, pod.Kind = "v1", "Pod"
	text, err := yaml.Marshal(pod)
	if err != nil {
		return "", field.Invalid(r.path.Child("template"), "", fmt.Sprintf("can't be written: %v", err))
	}
	return string(text), nil
}

func (p *planner) shapeContainer(c *corev1.Container, r role) {
	c.EnvFrom = append(c.EnvFrom, r.pod.EnvFrom...)
	for _, port := range r.ports {
		c.Ports = append(c.Ports, corev1.ContainerPort{
			Name: port.Name, ContainerPort: port.ContainerPort, Protocol: corev1.Protocol(port.Protocol),
		})
	}
	replace(&c.Lifecycle, r.lifecycle)
	replace(&c.SecurityContext, r.pod.SecurityContext)
	if gpu := r.pod.GPU; gpu != nil {
		if c.Resources.Limits == nil {
			c.Resources.Limits = corev1.ResourceList{}
		}
		c.Resources.Limits[corev1.ResourceName(gpu.Name)] = *resource.NewQuantity(gpu.Quantity, resource.DecimalSI)
	}
	if port, exposed := p.metricsPort(r); exposed {
		c.Ports = append(c.Ports, port)
	}
}

func (p *planner) shapePod(spec *corev1.PodSpec, r role) {
	spec.HostAliases = append(spec.HostAliases, r.pod.HostAliases...)
	spec.Tolerations = append(spec.Tolerations, r.pod.Tolerations...)
	addContainers(&spec.InitContainers, r.pod.InitContainers)
	addContainers(&spec.Containers, r.pod.Sidecars)
	replace(&spec.Affinity, r.pod.Affinity)
	replace(&spec.DNSConfig, r.pod.DNSConfig)
	replace(&spec.SecurityContext, r.pod.PodSecurityContext)
	replace(&spec.TerminationGracePeriodSeconds, r.pod.TerminationGracePeriodSeconds)
	replace(&spec.ShareProcessNamespace, r.pod.ShareProcessNamespace)
	if r.pod.HostNetwork != nil && *r.pod.HostNetwork {
		// The cluster's names resolve on the machine's network with this policy alone.
		spec.HostNetwork, spec.DNSPolicy = true, corev1.DNSClusterFirstWithHostNet
	}
	if class := text(r.priorityClass); class != "" {
		spec.PriorityClassName, spec.Priority, spec.PreemptionPolicy = class, nil, nil
	}
}

// replace takes the field's value where there is one.
func replace[T any](to **T, value *T) {
	if value != nil {
		*to = value
	}
}

// addContainers adds those that a template doesn't have already.
func addContainers(to *[]corev1.Container, more []corev1.Container) {
	for _, c := range more {
		if !slices.ContainsFunc(*to, func(own corev1.Container) bool { return own.Name == c.Name && own.Image == c.Image }) {
			*to = append(*to, *c.DeepCopy())
		}
	}
}

// shapeVolumes adds volumes and their mounts: the user's, and ConfigMaps.
func (p *planner) shapeVolumes(spec *corev1.PodSpec, c *corev1.Container, r role) {
	if name := text(p.app.Spec.HadoopConfigMap); name != "" {
		mountConfigMap(spec, c, name, "hadoop-configmap-volume", hadoopConfFolder)
	}
	if name := text(p.app.Spec.SparkConfigMap); name != "" {
		mountConfigMap(spec, c, name, "spark-configmap-volume", sparkConfFolder)
	}
	for _, config := range r.pod.ConfigMaps {
		mountConfigMap(spec, c, config.Name, cut(config.Name+"-vol"), config.Path)
	}
	p.mountVolumes(spec, c, r)
	if name, path, mounted := p.metricsFolder(r); mounted {
		mountConfigMap(spec, c, name, cut(name+"-vol"), path)
	}
}

// mountVolumes mounts volumes of the application. Those whose names begin with
// spark-local-dir- Spark takes for its own data.
func (p *planner) mountVolumes(spec *corev1.PodSpec, c *corev1.Container, r role) {
	added := map[string]bool{}
	for i, mount := range r.pod.VolumeMounts {
		index := slices.IndexFunc(p.app.Spec.Volumes, func(v corev1.Volume) bool { return v.Name == mount.Name })
		if index < 0 {
			p.errs = append(p.errs, field.NotFound(r.path.Child("volumeMounts").Index(i).Child("name"), mount.Name))
			continue
		}
		if !added[mount.Name] {
			spec.Volumes = append(spec.Volumes, *p.app.Spec.Volumes[index].DeepCopy())
			added[mount.Name] = true
		}
		c.VolumeMounts = append(c.VolumeMounts, mount)
	}
}

func mountConfigMap(spec *corev1.PodSpec, c *corev1.Container, name, volume, path string) {
	spec.Volumes = append(spec.Volumes, corev1.Volume{Name: volume, VolumeSource: corev1.VolumeSource{
		ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: name}},
	}})
	c.VolumeMounts = append(c.VolumeMounts, corev1.VolumeMount{Name: volume, ReadOnly: true, MountPath: path})
}

// cut shortens a name to what a volume may be called.
func cut(name string) string {
	return strings.TrimRight(name[:min(len(name), maxVolumeName)], "-.")
}

// configFolders are the variables that say where mounted configurations are.
func (p *planner) configFolders() []corev1.EnvVar {
	var folders []corev1.EnvVar
	if text(p.app.Spec.HadoopConfigMap) != "" {
		folders = append(folders, corev1.EnvVar{Name: "HADOOP_CONF_DIR", Value: hadoopConfFolder})
	}
	if text(p.app.Spec.SparkConfigMap) != "" {
		folders = append(folders, corev1.EnvVar{Name: "SPARK_CONF_DIR", Value: sparkConfFolder})
	}
	return folders
}
