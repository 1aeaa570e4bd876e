package cluster_test

import (
	"slices"
	"testing"

	"muster.sh/muster/scheduler/cluster"
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/resource"
)

func TestSuitsNamesEveryConstraintThatRulesANodeOut(t *testing.T) {
	taint := gang.Taint{Key: "gpu", Effect: gang.NoSchedule}
	cordon := gang.Toleration{Key: "node.kubernetes.io/unschedulable", AnyValue: true}
	inZoneA := []gang.Term{{{Key: "zone", Operator: gang.In, Values: []string{"a"}}}}
	for name, c := range map[string]struct {
		node  cluster.Node
		shape gang.Shape
		want  []gang.Constraint
	}{
		"a ready node":               {cluster.Node{Ready: true}, gang.Shape{}, nil},
		"a node that is not ready":   {cluster.Node{}, gang.Shape{}, []gang.Constraint{gang.NotReady}},
		"a cordoned node":            {cluster.Node{Ready: true, Unschedulable: true}, gang.Shape{}, []gang.Constraint{gang.Unschedulable}},
		"a cordon that is tolerated": {cluster.Node{Ready: true, Unschedulable: true}, gang.Shape{Tolerations: []gang.Toleration{cordon}}, nil},
		"a taint":                    {cluster.Node{Ready: true, Taints: []gang.Taint{taint}}, gang.Shape{}, []gang.Constraint{gang.Tainted}},
		"two taints are one reason":  {cluster.Node{Ready: true, Taints: []gang.Taint{taint, taint}}, gang.Shape{}, []gang.Constraint{gang.Tainted}},
		"a taint that is tolerated":  {cluster.Node{Ready: true, Taints: []gang.Taint{taint}}, gang.Shape{Tolerations: []gang.Toleration{{Key: "gpu", AnyValue: true}}}, nil},
		"another zone":               {cluster.Node{Ready: true, Labels: map[string]string{"zone": "b"}}, gang.Shape{Affinity: inZoneA}, []gang.Constraint{gang.NodeAffinity}},
		"the zone":                   {cluster.Node{Ready: true, Labels: map[string]string{"zone": "a"}}, gang.Shape{Affinity: inZoneA}, nil},
		"everything that can be wrong": {
			cluster.Node{Unschedulable: true, Taints: []gang.Taint{taint}}, gang.Shape{Affinity: inZoneA},
			[]gang.Constraint{gang.NotReady, gang.Unschedulable, gang.Tainted, gang.NodeAffinity}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := cluster.Suits(&c.node, &c.shape); !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
			if takes := cluster.Takes(&c.node, &c.shape); takes != (len(c.want) == 0) {
				t.Errorf("it takes the shape: %t", takes)
			}
		})
	}
}

func TestTheTotalIsWhatNewPodsMayUse(t *testing.T) {
	row := func(n cluster.Node, cpu, memory int64) cluster.Row {
		return cluster.Row{Node: &n, Free: resource.Vector{MilliCPU: cpu, Memory: memory}}
	}
	ready := cluster.Node{Ready: true}
	v := cluster.View{Rows: []cluster.Row{
		row(ready, 2, 5), row(ready, 3, -100), row(cluster.Node{}, 50, 50), row(cluster.Node{Ready: true, Unschedulable: true}, 50, 50),
	}}
	if got, want := v.Total(), (resource.Vector{MilliCPU: 5, Memory: 5}); !got.Equal(want) {
		t.Errorf("%s is free in all, want %s: one node's debt is not another's", got, want)
	}
}
