package main

import (
	"fmt"

	"k8s.io/apimachinery/pkg/api/resource"
)

// size is what one application asks for.
type size struct {
	driverCPU, executorCPU resource.Quantity
	heap                   string // of each JVM, as Spark writes it
	executors              int
}

// members is the number of pods that must run together.
func (s size) members() int { return 1 + s.executors }

// podMemory is what Spark requests for a Python application's pod with a heap of
// 512 MiB: the overhead is at least 384 MiB.
const podMemory = (512 + 384) << 20

// gangsAtOnce is how many applications fit on the cluster of two nodes at a time.
const gangsAtOnce = 2

// sizeFor sizes the applications to nodes of that much allocatable CPU (in
// thousandths) and memory (in bytes), so that the demo shows the same thing on
// any machine. A driver takes half a node, so that four drivers leave no room for
// a single executor: that is the deadlock which a scheduler that places pods one
// by one runs into. A driver with its three executors takes 19 twentieths of
// a node's worth, so that two whole applications fit, and no third.
func sizeFor(milliCPU, memory int64) (size, error) {
	s := size{heap: "512m", executors: 3}
	driver := milliCPU / 2
	executor := driver * 3 / 10
	if executor < 100 {
		return size{}, fmt.Errorf("a node has %d thousandths of a CPU; the demo needs at least 1 CPU on each", milliCPU)
	}
	if need := int64(s.members()) * podMemory; memory < need {
		return size{}, fmt.Errorf("a node has %d MiB of memory; the demo needs %d MiB on each", memory>>20, need>>20)
	}
	s.driverCPU = *resource.NewMilliQuantity(driver, resource.DecimalSI)
	s.executorCPU = *resource.NewMilliQuantity(executor, resource.DecimalSI)
	return s, nil
}
