package loop

import (
	"fmt"

	"muster.sh/muster/benchmarks/memory"
)

// faults are what the scheduler has done wrong, or left undone.
func (m *measured) faults() []string {
	binds, refused := m.api.Binds()
	faults := m.exist.faults(binds)
	if refused > 0 {
		faults = append(faults, fmt.Sprintf("%d binds were refused: of a pod that is bound, or is not there", refused))
	}
	return faults
}

// faults judges binds: every pod that can start is bound once, none that is held,
// and no node has more than its CPUs. A pod asks for one.
func (o *objects) faults(binds []memory.Bind) []string {
	var out []string
	bound, on := map[string]int{}, map[string]int64{}
	for _, b := range binds {
		bound[b.Pod]++
		on[b.Node]++
	}
	for _, p := range o.pods {
		switch n := bound[p.Name]; {
		case o.held[p.Name] && n > 0:
			out = append(out, fmt.Sprintf("pod %s of a gang that can't start was bound", p.Name))
		case !o.held[p.Name] && n != 1:
			out = append(out, fmt.Sprintf("pod %s was bound %d times", p.Name, n))
		}
	}
	for _, n := range o.nodes {
		if cpus := n.Status.Allocatable.Cpu().Value(); on[n.Name] > cpus {
			out = append(out, fmt.Sprintf("node %s has %d pods on %d CPUs", n.Name, on[n.Name], cpus))
		}
		delete(on, n.Name)
	}
	for name := range on {
		out = append(out, fmt.Sprintf("pods were bound to %s, which is no node", name))
	}
	return out
}
