package gangs

import (
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"muster.sh/muster/test/testcluster"
)

const gpu = "nvidia.com/gpu"

// asking adds GPUs to what a pod asks for.
func asking(gpus int64) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		amount := *resource.NewQuantity(gpus, resource.DecimalSI)
		resources := &p.Spec.Containers[0].Resources
		resources.Requests[gpu], resources.Limits = amount, corev1.ResourceList{gpu: amount}
	}
}

func (s *story) giveGPUs(node int, gpus string) {
	s.Helper()
	s.patchStatus(node, fmt.Sprintf(`{"status":{"capacity":{%q:%[2]s},"allocatable":{%[1]q:%[2]s}}}`, gpu, gpus))
}

// strategies has one gang again and again, of two members with a GPU each, on two nodes
// with GPUs: the fullest has four left, which are what work usually asks for, and the
// emptiest six.
func strategies(s *story) {
	s.giveGPUs(0, `"8"`)
	s.giveGPUs(1, `"6"`)
	s.start(testcluster.PodGroup{Name: "usual", Members: 1, CPUs: 1, Change: func(p *corev1.Pod) {
		asking(4)(p)
		s.onto(0)(p)
	}})
	for _, of := range []struct {
		strategy string
		want     map[int]int
	}{
		{"Spread", map[int]int{0: 1, 1: 1}},
		{"Fragmentation", map[int]int{1: 2}},
		{"Pack", map[int]int{0: 2}},
	} {
		s.must(s.Reconfigure(s.ctx, fmt.Sprintf("placement: {strategy: %s}\n", of.strategy)))
		gang := testcluster.PodGroup{Name: strings.ToLower(of.strategy), Members: 2, CPUs: 1, Runs: time.Second, Change: asking(1)}
		s.Log(of.strategy)
		s.require(s.start(gang), of.want)
		s.must(s.Pods.Await(s.ctx, "the gang has ended", func(pods []*corev1.Pod) bool {
			return testcluster.Count(pods, func(p *corev1.Pod) bool {
				return testcluster.MemberOf(p, gang.Name) && testcluster.Ended(p)
			}) == gang.Members
		}))
	}
	s.must(s.Clear(s.ctx))
	s.giveGPUs(0, "null")
	s.giveGPUs(1, "null")
}
