// Package gangtest builds gangs for tests.
package gangtest

import (
	"time"

	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/resource"
)

// Epoch0 is when tests begin.
var Epoch0 = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

// Shape returns a shape that asks for cores and gibibytes.
func Shape(cores, gib int64) gang.Shape {
	return gang.Shape{Request: resource.Vector{MilliCPU: cores * 1000, Memory: gib << 30, Pods: 1}}
}

// Spark returns a Spark application: one driver, and executors that are
// expected.
func Spark(name string, executors int, shape gang.Shape) gang.Gang {
	return gang.Gang{
		ID:      gang.NewID("spark", "default", name),
		Owner:   gang.Object{APIVersion: "v1", Kind: "Pod", Namespace: "default", Name: name + "-driver", UID: name + "-driver"},
		Created: Epoch0,
		Roles: []gang.Role{
			{Name: "driver", Min: 1, Max: 1},
			{Name: "executor", Min: executors, Max: executors, Expected: true, Shape: shape},
		},
	}
}

// Group returns a gang of that many members, all of which have pods.
func Group(name string, minMember int) gang.Gang {
	return gang.Gang{
		ID:        gang.NewID("podgroup", "default", name),
		Owner:     gang.Object{APIVersion: "scheduling.volcano.sh/v1beta1", Kind: "PodGroup", Namespace: "default", Name: name, UID: name},
		Created:   Epoch0,
		MinMember: minMember,
	}
}
