package localcluster

import "time"

// kwok plays the kubelets of the simulated nodes.
func (b *blueprint) kwok() component {
	return component{
		name:   "kwok",
		binary: b.binary,
		args:   []string{"kwok", "--kubeconfig=" + b.paths.kubeconfig("kwok"), "--node-selector=" + SimulatedLabel + "=true"},
		grace:  5 * time.Second,
	}
}
