package kubeletoracle

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apiresource "k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"pgregory.net/rapid"

	"muster.sh/muster/scheduler/numa"
	"muster.sh/muster/scheduler/resource"
)

// quality is what decides whether the CPU and memory managers look at a pod.
type quality string

const (
	guaranteed quality = "Guaranteed"
	burstable  quality = "Burstable"
	// podLevel is Guaranteed by resources of the pod as a whole.
	podLevel quality = "pod-level"
)

// kind is a pod in the terms of the model, from which the kubelet's is made.
type kind struct {
	quality quality
	demand  numa.Demand
}

func kinds() *rapid.Generator[kind] {
	return rapid.Custom(func(t *rapid.T) kind {
		q := rapid.SampledFrom([]quality{guaranteed, guaranteed, guaranteed, guaranteed, burstable, podLevel}).Draw(t, "quality")
		d := numa.Demand{Pinned: q == guaranteed}
		if chance(1, 4).Draw(t, "init containers") {
			for range rapid.IntRange(1, 2).Draw(t, "inits") {
				role := rapid.SampledFrom([]numa.Role{numa.Init, numa.Init, numa.Sidecar}).Draw(t, "role")
				d.Containers = append(d.Containers, numa.Claim{Role: role, Asks: asks().Draw(t, "asks")})
			}
		}
		apps := 1
		if chance(1, 3).Draw(t, "several") {
			apps = rapid.IntRange(2, 3).Draw(t, "apps")
		}
		for range apps {
			d.Containers = append(d.Containers, numa.Claim{Asks: asks().Draw(t, "asks")})
		}
		return kind{quality: q, demand: d}
	})
}

// asks are small as a rule, so that several pods fit; some need two zones.
func asks() *rapid.Generator[resource.Vector] {
	return rapid.Custom(func(t *rapid.T) resource.Vector {
		amounts := map[string]int64{
			resource.CPU:    rapid.SampledFrom([]int64{1000, 1000, 2000, 2000, 3000, 4000, 8000, 11000, 500, 1500}).Draw(t, "cpu"),
			resource.Memory: rapid.SampledFrom([]int64{1, 1, 1, 2, 3, 4, 9, 14}).Draw(t, "memory") * gib,
		}
		if chance(1, 4).Draw(t, "with pages") {
			amounts[pages] = rapid.SampledFrom([]int64{1, 2, 3}).Draw(t, "pages") * (gib / 2)
		}
		if chance(1, 3).Draw(t, "with GPUs") {
			amounts[gpu] = rapid.SampledFrom([]int64{1, 1, 2, 3, 5}).Draw(t, "GPUs")
		}
		if chance(1, 5).Draw(t, "with NICs") {
			amounts[nic] = rapid.SampledFrom([]int64{1, 1, 2}).Draw(t, "NICs")
		}
		if chance(1, 8).Draw(t, "with licenses") {
			amounts[license] = 1
		}
		return resource.Of(amounts)
	})
}

// pod is one of a kind, with a name of its own.
func (k kind) pod(serial int) *corev1.Pod {
	pod := &corev1.Pod{}
	pod.UID = types.UID(fmt.Sprintf("pod-%d", serial))
	for i, claim := range k.demand.Containers {
		c := corev1.Container{Name: fmt.Sprintf("c%d", i), Resources: requirements(claim.Asks, k.quality)}
		switch claim.Role {
		case numa.App:
			pod.Spec.Containers = append(pod.Spec.Containers, c)
			continue
		case numa.Sidecar:
			c.RestartPolicy = ptr.To(corev1.ContainerRestartPolicyAlways)
		}
		pod.Spec.InitContainers = append(pod.Spec.InitContainers, c)
	}
	if k.quality == podLevel {
		whole := requirements(resource.Of(map[string]int64{resource.CPU: 64000, resource.Memory: 64 * gib}), guaranteed)
		pod.Spec.Resources = &whole
	}
	return pod
}

func requirements(asks resource.Vector, q quality) corev1.ResourceRequirements {
	r := corev1.ResourceRequirements{Requests: corev1.ResourceList{}, Limits: corev1.ResourceList{}}
	asks.Each(func(name string, value int64) {
		quantity := *apiresource.NewQuantity(value, apiresource.DecimalSI)
		if name == resource.CPU {
			quantity = *apiresource.NewMilliQuantity(value, apiresource.DecimalSI)
		}
		r.Requests[corev1.ResourceName(name)] = quantity
		if q != burstable || name != resource.CPU {
			r.Limits[corev1.ResourceName(name)] = quantity
		}
	})
	return r
}

// ordinaryInit says whether a container is an init container that ends.
func ordinaryInit(pod *corev1.Pod, name string) bool {
	return slices.ContainsFunc(pod.Spec.InitContainers, func(c corev1.Container) bool {
		return c.Name == name && c.RestartPolicy == nil
	})
}
