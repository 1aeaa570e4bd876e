package gang_test

import (
	"testing"

	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/resource"
)

func TestVerdictsReadLikeSentences(t *testing.T) {
	missing := resource.Vector{MilliCPU: 4000, Memory: 2 << 30}
	for want, v := range map[string]gang.Verdict{
		"waiting for members of the gang to appear: 1 members are there, 3 more are needed": {
			Code: gang.Collecting, Detail: "1 members are there, 3 more are needed"},
		"refused: spark.executor.memory=much is no quantity; write it like 4g": {
			Code: gang.Refused, Detail: "spark.executor.memory=much is no quantity; write it like 4g"},
		"larger than the whole cluster: 3 of 5 executor placed, cpu=4 memory=2Gi missing in all; of 3 nodes: 2 too little memory, 1 cordoned, 1 too little cpu": {
			Code: gang.TooBig, Role: "executor", Placed: 3, Wanted: 5, Nodes: 3, Missing: missing,
			RuledOut: map[gang.Constraint]int{gang.Lacks("cpu"): 1, gang.Lacks("memory"): 2, gang.Unschedulable: 1}},
		"number 2 in queue q, behind pod a-driver": {Code: gang.Behind, Queue: "q", Position: 2, WaitingFor: gang.Object{Kind: "Pod", Name: "a-driver"}},
		"number 1 in queue q":                      {Code: gang.Behind, Queue: "q", Position: 1},
		"not enough room: 0 of 2 members placed": {
			Code: gang.NoRoom, Wanted: 2},
		"not enough room: minResources: cpu=4 missing over the whole cluster": {
			Code: gang.NoRoom, Missing: resource.Vector{MilliCPU: 4000}, Detail: "minResources: cpu=4 missing over the whole cluster"},
		"no node passes the checks of the members' own cycle: 0 of 1 driver placed; of 2 nodes: 2 vetoed by the member's own cycle: VolumeBinding on node n1: no volume": {
			Code: gang.Vetoed, Role: "driver", Wanted: 1, Nodes: 2, RuledOut: map[gang.Constraint]int{gang.Excluded: 2},
			Detail: "VolumeBinding on node n1: no volume"},
		"no room is held for members to come: they never came": {Code: gang.BackedOff, Detail: "they never came"},
		"its Reservation can't be stored: forbidden":           {Code: gang.NotStored, Detail: "forbidden"},
		"room is reserved, members are starting":               {Code: gang.Reserved},
		"the whole minimum is running":                         {Code: gang.Running},
		"below its minimum: 0 of 2 executor placed":            {Code: gang.Short, Role: "executor", Wanted: 2},
	} {
		if got := v.String(); got != want {
			t.Errorf("%s reads\n%s, want\n%s", v.Code, got, want)
		}
	}
}
