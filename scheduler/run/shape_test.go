package run

import (
	"testing"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	explain "muster.sh/muster/api/explain/v1"
)

func TestAPodThatDoesNotExistRequestsWhatItIsLimitedTo(t *testing.T) {
	m := &explain.Members{Count: 1}
	m.Template.Spec.Containers = []v1.Container{
		{Name: "a", Resources: v1.ResourceRequirements{Limits: v1.ResourceList{"cpu": resource.MustParse("2"), "example.com/gpu": resource.MustParse("1")}}},
		{Name: "b", Resources: v1.ResourceRequirements{Requests: v1.ResourceList{"cpu": resource.MustParse("500m")}}},
	}
	if r := shapeOf(m).Request; r.MilliCPU != 2500 || r.Get("example.com/gpu") != 1 || r.Pods != 1 {
		t.Errorf("it requests %s", r)
	}
}
