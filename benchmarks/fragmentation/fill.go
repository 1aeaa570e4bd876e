package fragmentation

import (
	"math/rand/v2"

	"muster.sh/muster/scheduler/cluster"
)

// offered is how much more GPUs are asked for, in all, than there are: by then
// hardly any pod fits any more.
const offered = 1.5

// Result is what came of one stream.
type Result struct {
	// Allocated is the part of all GPUs that is in use at the end.
	Allocated float64
	// Placed and Refused pods.
	Placed, Refused int
}

// Fill lets the pods of a mix arrive, one after the other, at an empty cluster of
// so many nodes. Equal seeds give equal clusters and streams, whatever the policy.
func Fill(p Policy, m Mix, nodes int, seed uint64) Result {
	random := rand.New(rand.NewPCG(seed, uint64(nodes))) //nolint:gosec // equal seeds must give equal streams
	rows := newCluster(random, nodes)
	workload := m.draw(random)
	next := stream(random, workload)

	all := 0.0
	for i := range rows {
		all += gpus(rows[i].Free)
	}
	var r Result
	used := 0.0
	for asked := 0.0; asked < offered*all; {
		s := next()
		wanted := gpus(s.Request)
		asked += wanted
		i := p.place(rows, s, workload)
		if i < 0 {
			r.Refused++
			continue
		}
		rows[i] = cluster.Row{Node: rows[i].Node, Free: rows[i].Free.Sub(s.Request)}
		used += wanted
		r.Placed++
	}
	r.Allocated = used / all
	return r
}
