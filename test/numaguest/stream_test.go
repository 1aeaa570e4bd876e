package numaguest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apiresource "k8s.io/apimachinery/pkg/api/resource"

	"muster.sh/muster/test/testcluster"
)

// groups are what users submit, the same for the same seed: single pods, and gangs of
// two, one for each zone, as many as have so many pods.
func groups(seed uint64, pods int) []testcluster.PodGroup {
	r := rand.New(rand.NewPCG(seed, 0))
	var all []testcluster.PodGroup
	for pods > 0 {
		g := testcluster.PodGroup{Name: fmt.Sprintf("u%02d", len(all)), Members: 1}
		cpus := []int64{1, 1, 2, 2, 2, 3, 3, 4}
		if r.IntN(4) == 0 {
			g.Members = min(2, pods)
			cpus = cpus[:7]
		}
		g.Change = mixed(r, cpus[r.IntN(len(cpus))])
		all = append(all, g)
		pods -= g.Members
	}
	return all
}

// mixed gives a pod CPUs, up to two devices and up to 1 GiB, in one or two containers.
// They work for long enough that few start and end at the same time: to start one takes
// an emulated machine some seconds.
func mixed(r *rand.Rand, cpus int64) func(*corev1.Pod) {
	devices := []int64{0, 0, 0, 1, 1, 2}[r.IntN(6)]
	memory := (1 + r.Int64N(4)) << 28
	works := time.Duration(5000+r.IntN(20000)) * time.Millisecond
	containers := []corev1.Container{worker("main", works, cpus, devices, memory)}
	if cpus > 1 && r.IntN(6) == 0 {
		containers = []corev1.Container{
			worker("first", works, 1, 0, memory/2), worker("second", works, cpus-1, devices, memory/2),
		}
	}
	return func(pod *corev1.Pod) {
		pod.Spec.Containers = slices.Clone(containers)
		pod.Spec.RestartPolicy = corev1.RestartPolicyNever
		runInGuest(&pod.Spec)
	}
}

// worker is a container that gets all that it asks for, and no more.
func worker(name string, works time.Duration, cpus, devices, memory int64) corev1.Container {
	c := container(name, "work", works.String())
	c.Resources.Limits = corev1.ResourceList{
		corev1.ResourceCPU:    *apiresource.NewQuantity(cpus, apiresource.DecimalSI),
		corev1.ResourceMemory: *apiresource.NewQuantity(memory, apiresource.BinarySI),
	}
	if devices > 0 {
		c.Resources.Limits[deviceName] = *apiresource.NewQuantity(devices, apiresource.DecimalSI)
	}
	return c
}
