package gangs

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	nodeinfo "volcano.sh/apis/pkg/apis/nodeinfo/v1alpha1"

	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/test/testcluster"
)

var numatopologies = nodeinfo.SchemeGroupVersion.WithResource("numatopologies")

// describe says of a node that it has two zones of three CPUs, of which one is reserved,
// and a kubelet that lets no pod that pins CPUs have some of both.
func (s *story) describe(node string) {
	s.Helper()
	n := &nodeinfo.Numatopology{
		TypeMeta:   metav1.TypeMeta{APIVersion: nodeinfo.SchemeGroupVersion.String(), Kind: "Numatopology"},
		ObjectMeta: metav1.ObjectMeta{Name: node},
		Spec: nodeinfo.NumatopoSpec{
			Policies: map[nodeinfo.PolicyName]string{
				nodeinfo.CPUManagerPolicy: "static", nodeinfo.TopologyManagerPolicy: "single-numa-node",
			},
			ResReserved: map[string]string{"cpu": "1"},
			NumaResMap:  map[string]nodeinfo.ResourceInfo{"cpu": {Allocatable: "0-5", Capacity: 6}},
			CPUDetail:   map[string]nodeinfo.CPUInfo{},
		},
	}
	for cpu := range 6 {
		n.Spec.CPUDetail[fmt.Sprint(cpu)] = nodeinfo.CPUInfo{NUMANodeID: cpu / 3, SocketID: cpu / 3, CoreID: cpu}
	}
	object, err := runtime.DefaultUnstructuredConverter.ToUnstructured(n)
	s.must(err)
	_, err = s.Dynamic.Resource(numatopologies).Create(s.ctx, &unstructured.Unstructured{Object: object}, metav1.CreateOptions{})
	s.must(err)
}

// pinned makes a pod a guaranteed one.
func pinned(p *corev1.Pod) {
	resources := &p.Spec.Containers[0].Resources
	resources.Requests[corev1.ResourceMemory] = resource.MustParse("1Gi")
	resources.Limits = resources.Requests
}

// zones has gangs whose members fit into a zone, and into a node alone. What is known of
// zones is known before the first of them: the scheduler starts with it.
func zones(s *story) {
	for _, node := range s.node {
		s.describe(node)
	}
	s.must(s.Outage(s.ctx, testcluster.MusterComponent))
	narrow := testcluster.PodGroup{Name: "narrow", Members: 4, CPUs: 3, Change: pinned}
	s.require(s.start(narrow), map[int]int{0: 1, 1: 1, 2: 1, 3: 1})
	s.must(s.Clear(s.ctx))

	wide := testcluster.PodGroup{Name: "wide", Members: 2, CPUs: 4, Change: pinned}
	s.must(s.CreatePodGroups(s.ctx, wide))
	s.says(wide, "0 of 2 default placed", fmt.Sprintf("of %d nodes: %[1]d %s", len(s.node), gang.Unaligned))
	s.must(s.Dynamic.Resource(numatopologies).DeleteCollection(s.ctx, metav1.DeleteOptions{}, metav1.ListOptions{}))
	s.placed(wide)
}
