package source

import (
	"reflect"
	"testing"

	v1 "k8s.io/api/core/v1"
	apiresource "k8s.io/apimachinery/pkg/api/resource"

	"muster.sh/muster/scheduler/numa"
	"muster.sh/muster/scheduler/resource"
)

// amounts are quantities by name.
func amounts(list map[v1.ResourceName]string) v1.ResourceList {
	out := v1.ResourceList{}
	for name, q := range list {
		out[name] = apiresource.MustParse(q)
	}
	return out
}

func TestDemandIsWhatAKubeletAligns(t *testing.T) {
	whole := amounts(map[v1.ResourceName]string{"cpu": "4", "memory": "8Gi", "example.com/gpu": "1"})
	some := amounts(map[v1.ResourceName]string{"cpu": "500m", "ephemeral-storage": "1Gi"})
	always := v1.ContainerRestartPolicyAlways
	asks := resource.Vector{MilliCPU: 4000, Memory: 8 << 30}.With("example.com/gpu", 1)
	for name, c := range map[string]struct {
		pod  v1.Pod
		want *numa.Demand
	}{
		"a pod that is guaranteed nothing, without devices": {
			v1.Pod{Spec: v1.PodSpec{Containers: []v1.Container{{Resources: v1.ResourceRequirements{Requests: some}}}}}, nil},
		"limits alone guarantee": {
			v1.Pod{Spec: v1.PodSpec{Containers: []v1.Container{{Resources: v1.ResourceRequirements{Limits: whole}}}}},
			&numa.Demand{Pinned: true, Containers: []numa.Claim{{Asks: asks}}}},
		"devices are aligned for any pod": {
			v1.Pod{Spec: v1.PodSpec{Containers: []v1.Container{{Resources: v1.ResourceRequirements{Requests: some, Limits: amounts(map[v1.ResourceName]string{"example.com/gpu": "2"})}}}}},
			&numa.Demand{Containers: []numa.Claim{{Asks: resource.Vector{}.With("example.com/gpu", 2)}}}},
		"a container without limits spoils the guarantee": {
			v1.Pod{Spec: v1.PodSpec{Containers: []v1.Container{{Resources: v1.ResourceRequirements{Limits: whole}}, {}}}},
			&numa.Demand{Containers: []numa.Claim{{Asks: resource.Vector{}.With("example.com/gpu", 1)}, {}}}},
		"the API server's word counts": {
			v1.Pod{Spec: v1.PodSpec{Containers: []v1.Container{{Resources: v1.ResourceRequirements{Limits: whole}}}}, Status: v1.PodStatus{QOSClass: v1.PodQOSBurstable}},
			&numa.Demand{Containers: []numa.Claim{{Asks: resource.Vector{}.With("example.com/gpu", 1)}}}},
		"init containers and sidecars go first": {
			v1.Pod{Spec: v1.PodSpec{
				InitContainers: []v1.Container{
					{Resources: v1.ResourceRequirements{Limits: whole}},
					{Resources: v1.ResourceRequirements{Limits: whole}, RestartPolicy: &always},
				},
				Containers: []v1.Container{{Resources: v1.ResourceRequirements{Limits: whole}}}}},
			&numa.Demand{Pinned: true, Containers: []numa.Claim{{Role: numa.Init, Asks: asks}, {Role: numa.Sidecar, Asks: asks}, {Asks: asks}}}},
		"pods with resources of their own are not pinned": {
			v1.Pod{Spec: v1.PodSpec{Resources: &v1.ResourceRequirements{}, Containers: []v1.Container{{Resources: v1.ResourceRequirements{Limits: whole}}}}},
			&numa.Demand{Containers: []numa.Claim{{Asks: resource.Vector{}.With("example.com/gpu", 1)}}}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Demand(&c.pod); !reflect.DeepEqual(got, c.want) {
				t.Errorf("%+v, want %+v", got, c.want)
			}
		})
	}
}
