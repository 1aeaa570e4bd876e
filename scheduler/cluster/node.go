// Package cluster is the node table: what nodes there are, what runs on them
// and what is free. One goroutine writes it; plans are made on a View, which
// never changes.
package cluster

import (
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/numa"
	"muster.sh/muster/scheduler/resource"
)

// Node is what placing knows of a node. It is never changed in place.
type Node struct {
	Name          string            `json:"name"`
	Labels        map[string]string `json:"labels,omitempty"`
	Taints        []gang.Taint      `json:"taints,omitempty"`
	Unschedulable bool              `json:"unschedulable,omitempty"`
	Ready         bool              `json:"ready"`
	Allocatable   resource.Vector   `json:"allocatable"`
	// Tiers are the domains of the network that the node is in, by level, where
	// these are not labels of the node.
	Tiers map[string]string `json:"tiers,omitempty"`
	// NUMA is how the node's kubelet aligns pods to zones; nil where nobody has told.
	NUMA *numa.Topology `json:"numa,omitempty"`
}

// Domain is the part of the network that a node is in at a level: a tier, or the
// value of a label. It is empty for a node that is in none.
func (n *Node) Domain(level string) string {
	if d, ok := n.Tiers[level]; ok {
		return d
	}
	return n.Labels[level]
}

// Pod is a pod that takes room on a node, whoever placed it.
type Pod struct {
	ID        gang.PodID      `json:"id"`
	Namespace string          `json:"namespace,omitempty"`
	Name      string          `json:"name,omitempty"`
	Node      string          `json:"node"`
	Request   resource.Vector `json:"request"`
	HostPorts []string        `json:"hostPorts,omitempty"`
	// Aligned is what the kubelet takes from NUMA zones for it; nil for nothing.
	Aligned *numa.Demand `json:"aligned,omitempty"`
	// Started says that the kubelet has admitted it.
	Started bool `json:"started,omitempty"`
	// Gang is empty for pods that belong to none.
	Gang gang.ID `json:"gang,omitempty"`
}
