package sparkconf

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	nodev1 "k8s.io/api/node/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	helper "k8s.io/component-helpers/resource"
)

// admit changes an executor pod as the API server does before it stores one, as
// far as placement depends on it.
func (s *settings) admit(spec *corev1.PodSpec, limitRanges []*corev1.LimitRange, class *nodev1.RuntimeClass) {
	eachContainer(spec, func(c *corev1.Container) {
		defaultRequests(c)
		defaultPorts(c, spec.HostNetwork)
	})
	sorted := slices.Clone(limitRanges)
	slices.SortFunc(sorted, func(a, b *corev1.LimitRange) int { return strings.Compare(a.Name, b.Name) })
	for _, limitRange := range sorted {
		eachContainer(spec, func(c *corev1.Container) { applyLimitRange(c, limitRange) })
	}
	s.applyRuntimeClass(spec, class)
	defaultPodRequests(spec)
	if spec.SchedulerName == "" {
		spec.SchedulerName = corev1.DefaultSchedulerName
	}
}

// eachContainer visits all containers of a pod, those for initialisation too.
func eachContainer(spec *corev1.PodSpec, visit func(*corev1.Container)) {
	for i := range spec.InitContainers {
		visit(&spec.InitContainers[i])
	}
	for i := range spec.Containers {
		visit(&spec.Containers[i])
	}
}

// defaultRequests makes a request of every limit that has none.
func defaultRequests(c *corev1.Container) {
	c.Resources.Requests = withDefaults(c.Resources.Requests, c.Resources.Limits)
}

// withDefaults returns the list with what it lacks taken from the defaults.
func withDefaults(list, defaults corev1.ResourceList) corev1.ResourceList {
	merged := corev1.ResourceList{}
	addAll(merged, defaults)
	addAll(merged, list)
	return merged
}

// defaultPorts completes the ports of a container. One that shares the machine's
// network takes each of its ports from the machine.
func defaultPorts(c *corev1.Container, hostNetwork bool) {
	for i := range c.Ports {
		port := &c.Ports[i]
		if port.Protocol == "" {
			port.Protocol = corev1.ProtocolTCP
		}
		if hostNetwork && port.HostPort == 0 {
			port.HostPort = port.ContainerPort
		}
	}
}

// applyLimitRange fills in the requests and limits that a container lacks. The
// limits come too late to become requests.
func applyLimitRange(c *corev1.Container, limitRange *corev1.LimitRange) {
	for _, item := range limitRange.Spec.Limits {
		if item.Type == corev1.LimitTypeContainer {
			c.Resources.Requests = withDefaults(c.Resources.Requests, item.DefaultRequest)
			c.Resources.Limits = withDefaults(c.Resources.Limits, item.Default)
		}
	}
}

// applyRuntimeClass adds the overhead, node selector and tolerations of the
// pod's runtime class.
func (s *settings) applyRuntimeClass(spec *corev1.PodSpec, class *nodev1.RuntimeClass) {
	if spec.RuntimeClassName == nil {
		if len(spec.Overhead) > 0 {
			s.fail(keyTemplateFile, "", "states an overhead without a runtime class", "remove overhead from the pod template")
		}
		return
	}
	name := *spec.RuntimeClassName
	if class == nil {
		s.fail(keyTemplateFile, name, "names a runtime class that doesn't exist",
			"create the RuntimeClass or correct runtimeClassName in the pod template")
		return
	}
	var overhead corev1.ResourceList
	if class.Overhead != nil {
		overhead = class.Overhead.PodFixed
	}
	if len(spec.Overhead) > 0 && !equality.Semantic.DeepEqual(spec.Overhead, overhead) {
		s.fail(keyTemplateFile, name, "is a runtime class with another overhead than the pod template states",
			"remove overhead from the pod template")
	}
	spec.Overhead = overhead
	if class.Scheduling == nil {
		return
	}
	for key, value := range class.Scheduling.NodeSelector {
		if own, set := spec.NodeSelector[key]; set && own != value {
			s.fail(keyTemplateFile, name,
				fmt.Sprintf("is a runtime class for nodes with %s=%s, but the executors select %s=%s", key, value, key, own),
				"remove that node selector")
		}
		spec.NodeSelector = set(spec.NodeSelector, key, value)
	}
	for _, toleration := range class.Scheduling.Tolerations {
		if !slices.ContainsFunc(spec.Tolerations, func(own corev1.Toleration) bool { return own.MatchToleration(&toleration) }) {
			spec.Tolerations = append(spec.Tolerations, toleration)
		}
	}
}

func set(in map[string]string, key, value string) map[string]string {
	if in == nil {
		in = map[string]string{}
	}
	in[key] = value
	return in
}

// defaultPodRequests completes requests on the level of the pod, where the
// template sets limits there: from the containers' requests, else the limit.
func defaultPodRequests(spec *corev1.PodSpec) {
	if spec.Resources == nil || len(spec.Resources.Limits) == 0 {
		return
	}
	sum := helper.AggregateContainerRequests(&corev1.Pod{Spec: *spec}, helper.PodResourcesOptions{})
	requests := corev1.ResourceList{}
	for name, limit := range spec.Resources.Limits {
		if helper.IsSupportedPodLevelResource(name) {
			requests[name] = limit
		}
	}
	for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
		if quantity, found := sum[name]; found {
			requests[name] = quantity
		}
	}
	addAll(requests, spec.Resources.Requests)
	spec.Resources.Requests = requests
}
