package core

import (
	"cmp"
	"slices"

	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/planner"
)

const (
	// maxSamples bounds what a plan costs: each is looked at for every node.
	maxSamples = 16
	// memory is how many members are remembered. Once there are more, all weigh
	// half: what came long ago is forgotten.
	memory = 1024
)

// workload is what members that ask for devices usually ask for. It is learned
// from those that come, so a new leader knows it from the pods that exist.
type workload struct {
	samples []planner.Sample
	keys    []string // of the samples
	weight  int64
}

// note takes in that a member has come.
func (w *workload) note(s *gang.Shape) {
	if !planner.AsksForDevices(s) {
		return
	}
	key := s.Signature()
	i := slices.Index(w.keys, key)
	if i < 0 {
		if len(w.samples) == maxSamples {
			w.forgetRarest()
		}
		i = len(w.samples)
		w.samples, w.keys = append(w.samples, planner.Sample{Shape: *s}), append(w.keys, key)
	}
	w.samples[i].Weight++
	if w.weight++; w.weight > memory {
		w.halve()
	}
}

func (w *workload) forgetRarest() {
	rarest := 0
	for i := range w.samples {
		if w.samples[i].Weight < w.samples[rarest].Weight {
			rarest = i
		}
	}
	w.weight -= w.samples[rarest].Weight
	w.samples, w.keys = slices.Delete(w.samples, rarest, rarest+1), slices.Delete(w.keys, rarest, rarest+1)
}

func (w *workload) halve() {
	w.weight = 0
	for i := range w.samples {
		w.samples[i].Weight = cmp.Or(w.samples[i].Weight/2, 1)
		w.weight += w.samples[i].Weight
	}
}
