package kubeletoracle

import (
	"fmt"
	"math/rand/v2"
	"time"

	corev1 "k8s.io/api/core/v1"

	"muster.sh/muster/scheduler/numa"
	"muster.sh/muster/scheduler/resource"
	"muster.sh/muster/test/testcluster"
)

// groups are what users submit, the same for the same seed: single pods, and gangs of
// equal ones, as many as have so many pods.
func groups(seed uint64, pods int) []testcluster.PodGroup {
	r := rand.New(rand.NewPCG(seed, 0))
	var all []testcluster.PodGroup
	for pods > 0 {
		k := mixed(r)
		g := testcluster.PodGroup{
			Name: fmt.Sprintf("u%02d", len(all)), Members: 1, Change: k.fill,
			Runs: time.Duration(1000+r.IntN(4000)) * time.Millisecond,
		}
		if r.IntN(3) == 0 {
			g.Members = min(2+r.IntN(3), pods)
		}
		all = append(all, g)
		pods -= g.Members
	}
	return all
}

// mixed has one to eight CPUs and up to four GPUs in one or two containers. Three and
// five CPUs are frequent: they leave pieces of zones that look like room.
func mixed(r *rand.Rand) kind {
	cpus := []int64{1, 2, 3, 3, 3, 4, 5, 5, 6, 8}[r.IntN(10)]
	gpus := []int64{0, 0, 1, 1, 2, 3, 4}[r.IntN(7)]
	first := int64(0)
	if cpus > 1 && r.IntN(4) == 0 {
		first = 1
	}
	k := kind{quality: guaranteed, demand: numa.Demand{Pinned: true}}
	for _, c := range [][2]int64{{first, 0}, {cpus - first, gpus}} {
		if c[0] > 0 {
			asks := resource.Vector{MilliCPU: c[0] * 1000, Memory: (1 + r.Int64N(8)) * gib}.With(gpu, c[1])
			k.demand.Containers = append(k.demand.Containers, numa.Claim{Asks: asks})
		}
	}
	return k
}

// fill gives a pod the containers of its kind.
func (k kind) fill(pod *corev1.Pod) {
	pod.Spec.Containers = k.pod(0).Spec.Containers
	for i := range pod.Spec.Containers {
		pod.Spec.Containers[i].Image = "played"
	}
}
