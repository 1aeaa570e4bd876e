package core

import (
	"testing"

	"pgregory.net/rapid"

	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/resource"
)

// asking is a shape that asks for so many devices.
func asking(devices int64) *gang.Shape {
	return &gang.Shape{Request: resource.Vector{MilliCPU: 1000, Pods: 1}.With("example.com/gpu", devices)}
}

func TestWorkloadIsWhatCameLast(t *testing.T) {
	var w workload
	w.note(asking(0))
	if len(w.samples) != 0 {
		t.Fatalf("a member without devices is remembered: %+v", w.samples)
	}
	for range 3 * memory {
		w.note(asking(1))
	}
	for range memory {
		w.note(asking(2))
	}
	if old, recent := w.samples[0].Weight, w.samples[1].Weight; len(w.samples) != 2 || recent < 2*old {
		t.Errorf("what came long ago weighs %d, what came last %d", old, recent)
	}
}

func TestWorkloadIsBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var w workload
		for range rapid.IntRange(0, 200).Draw(t, "members") {
			s := asking(rapid.Int64Range(1, 2*maxSamples).Draw(t, "devices"))
			w.note(s)
			sum, there := int64(0), false
			for i, sample := range w.samples {
				sum += sample.Weight
				there = there || sample.Shape.Request.Equal(s.Request)
				if w.keys[i] != sample.Shape.Signature() || sample.Weight < 1 {
					t.Fatalf("sample %d is %+v under key %s", i, sample, w.keys[i])
				}
			}
			if sum != w.weight || len(w.samples) > maxSamples || len(w.keys) != len(w.samples) || !there {
				t.Fatalf("%d samples weigh %d, noted is %d; the last one is among them: %t", len(w.samples), sum, w.weight, there)
			}
		}
	})
}
