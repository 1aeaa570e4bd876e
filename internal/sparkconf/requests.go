package sparkconf

import (
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	helper "k8s.io/component-helpers/resource"
)

// PodRequests returns what the scheduler must set aside for a pod: the sum of
// its containers or the greatest need while it initialises, sidecars, requests
// on the level of the pod and the overhead of its runtime class included.
func PodRequests(spec *corev1.PodSpec) corev1.ResourceList {
	return helper.PodRequests(&corev1.Pod{Spec: *spec}, helper.PodResourcesOptions{})
}

// No machine has more than this. Sums of quantities below stay far from the end
// of 64 bits.
const maxMemoryMiB = 1 << 30

var (
	maxCPU      = resource.MustParse("1M")
	maxQuantity = resource.MustParse("1Pi")
)

// check refuses an executor pod that the API server would refuse or no machine
// could hold. Its last container is the one that Spark runs in.
func (s *settings) check(spec *corev1.PodSpec) {
	spark := &spec.Containers[len(spec.Containers)-1]
	eachContainer(spec, func(c *corev1.Container) {
		for _, name := range names(c.Resources.Requests) {
			request := c.Resources.Requests[name]
			s.checkQuantity(s.requestKey(name, c == spark), "container "+c.Name, name, request)
			limit, limited := c.Resources.Limits[name]
			if !limited || limit.Cmp(request) >= 0 {
				continue
			}
			s.fail(s.requestKey(name, c == spark), request.String(),
				fmt.Sprintf("is a request for %s above the limit of container %s, %s", name, c.Name, limit.String()),
				"lower the request, or raise the limit in the settings, the pod template or the namespace's LimitRange")
		}
	})
	if spec.Resources != nil {
		s.checkList("the pod", spec.Resources.Requests)
	}
	s.checkList("its runtime class", spec.Overhead)
	s.checkList("all of it together", PodRequests(spec))
}

func (s *settings) checkList(where string, list corev1.ResourceList) {
	for _, name := range names(list) {
		s.checkQuantity(keyTemplateFile, where, name, list[name])
	}
}

// names are those of the resources in a list, in a fixed order.
func names(list corev1.ResourceList) []corev1.ResourceName {
	return slices.Sorted(maps.Keys(list))
}

// checkQuantity bounds one request.
func (s *settings) checkQuantity(key, where string, name corev1.ResourceName, quantity resource.Quantity) {
	most := maxQuantity
	if name == corev1.ResourceCPU {
		most = maxCPU
	}
	if quantity.Sign() < 0 || quantity.Cmp(most) > 0 {
		s.fail(key, quantity.String(),
			fmt.Sprintf("is a request for %s by %s that is negative or more than any machine has", name, where),
			"correct the request")
	}
}

// requestKey is the setting behind a request: one of Spark's for the cores of
// its own container, else the pod template.
func (s *settings) requestKey(name corev1.ResourceName, spark bool) string {
	if name != corev1.ResourceCPU || !spark {
		return keyTemplateFile
	}
	if _, set := s.props[keyRequestCores]; set {
		return keyRequestCores
	}
	return keyCores
}
