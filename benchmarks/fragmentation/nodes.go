// Package fragmentation compares strategies of placing pods with GPUs: a stream of
// pods arrives until the cluster is full, and what counts is how much of all GPUs
// is then in use. It is a simulation in memory, with the scheduler's own planner.
package fragmentation

import (
	"fmt"
	"math/rand/v2"

	"muster.sh/muster/scheduler/cluster"
	"muster.sh/muster/scheduler/resource"
)

// Resources by which nodes offer GPUs. Fractions are counts too, as device plugins
// offer them: which GPU of a node a fraction comes from is for the kubelet to choose.
const (
	wholeGPU   = "nvidia.com/gpu"
	quarterGPU = "nvidia.com/gpu.shared"
	sliceGPU   = "nvidia.com/mig-1g.10gb"
)

// gpuParts is how many of a resource make one GPU.
var gpuParts = map[string]int64{wholeGPU: 1, quarterGPU: 4, sliceGPU: 7}

const modelLabel = "nvidia.com/gpu.product"

// nodeKind is a model of machine, and its share of a cluster.
type nodeKind struct {
	share   int
	model   string
	cores   int64
	memory  int64 // GiB
	device  string
	devices int64
}

// nodeKinds is a pool that has grown over the years.
var nodeKinds = []nodeKind{
	{share: 20, cores: 96, memory: 384},
	{share: 14, model: "Tesla-P100", cores: 32, memory: 128, device: wholeGPU, devices: 2},
	{share: 18, model: "Tesla-T4", cores: 48, memory: 192, device: wholeGPU, devices: 4},
	{share: 16, model: "Tesla-V100", cores: 72, memory: 384, device: wholeGPU, devices: 8},
	{share: 18, model: "A10", cores: 96, memory: 512, device: wholeGPU, devices: 8},
	{share: 8, model: "A100", cores: 128, memory: 1024, device: wholeGPU, devices: 8},
	{share: 4, model: "T4-shared", cores: 48, memory: 192, device: quarterGPU, devices: 4 * 4},
	{share: 2, model: "A100-MIG", cores: 96, memory: 768, device: sliceGPU, devices: 4 * 7},
}

// newCluster draws the nodes of a cluster, in no order of their kinds.
func newCluster(random *rand.Rand, size int) []cluster.Row {
	var kinds []nodeKind
	for _, k := range nodeKinds {
		for range k.share {
			kinds = append(kinds, k)
		}
	}
	rows := make([]cluster.Row, size)
	for i, k := range random.Perm(size) {
		rows[i] = kinds[k%len(kinds)].row(fmt.Sprintf("node-%04d", i))
	}
	return rows
}

func (k nodeKind) row(name string) cluster.Row {
	n := &cluster.Node{
		Name: name, Ready: true, Labels: map[string]string{},
		Allocatable: resource.Vector{MilliCPU: k.cores * 1000, Memory: k.memory << 30, Pods: 250},
	}
	if k.devices > 0 {
		n.Labels[modelLabel] = k.model
		n.Allocatable = n.Allocatable.With(k.device, k.devices)
	}
	return cluster.Row{Node: n, Free: n.Allocatable}
}

// gpus is how many GPUs a vector stands for.
func gpus(v resource.Vector) float64 {
	sum := 0.0
	for _, a := range v.Extra {
		sum += float64(a.Value) / float64(gpuParts[a.Name])
	}
	return sum
}
