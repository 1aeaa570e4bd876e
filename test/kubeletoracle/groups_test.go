package kubeletoracle

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	corev1 "k8s.io/api/core/v1"
	schedulingv1beta1 "volcano.sh/apis/pkg/apis/scheduling/v1beta1"

	"muster.sh/muster/scheduler/numa"
	"muster.sh/muster/scheduler/resource"
	"muster.sh/muster/test/testcluster"
)

// unit is what a user submits: a pod, or a gang of equal pods.
type unit struct {
	name    string
	members int
	kind    kind
	runs    time.Duration
}

// units are as many as have so many pods, the same for the same seed.
func units(seed uint64, pods int) []unit {
	r := rand.New(rand.NewPCG(seed, 0))
	var all []unit
	for pods > 0 {
		u := unit{name: fmt.Sprintf("u%02d", len(all)), members: 1, kind: mixed(r), runs: time.Duration(1000+r.IntN(4000)) * time.Millisecond}
		if r.IntN(3) == 0 {
			u.members = min(2+r.IntN(3), pods)
		}
		all = append(all, u)
		pods -= u.members
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

// submit creates what the unit is made of.
func (u unit) submit(ctx context.Context, c *testcluster.Cluster) error {
	if u.members > 1 {
		if err := c.CreatePodGroup(ctx, testcluster.PodGroup{Name: u.name, Members: u.members}); err != nil {
			return err
		}
	}
	for i := range u.members {
		pod := c.Pod(fmt.Sprintf("%s-%d", u.name, i), 0, u.runs)
		u.kind.fill(pod)
		if u.members > 1 {
			pod.Annotations[schedulingv1beta1.KubeGroupNameAnnotationKey] = u.name
		}
		if err := c.CreatePod(ctx, pod); err != nil {
			return err
		}
	}
	return nil
}

// fill gives a pod the containers of its kind.
func (k kind) fill(pod *corev1.Pod) {
	pod.Spec.Containers = k.pod(0).Spec.Containers
	for i := range pod.Spec.Containers {
		pod.Spec.Containers[i].Image = "played"
	}
}
