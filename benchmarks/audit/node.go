package audit

import (
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// amounts is a resource list in integers, as schedulers count: millicores of
// CPU, bytes of memory, and pieces of all else, pods included.
type amounts map[corev1.ResourceName]int64

func amountsOf(list corev1.ResourceList) amounts {
	out := make(amounts, len(list)+1)
	for name, quantity := range list {
		if name == corev1.ResourceCPU {
			out[name] = quantity.MilliValue()
		} else {
			out[name] = quantity.Value()
		}
	}
	return out
}

// demand is what the pod takes of its node, the pod itself included.
func (p *Pod) demand() amounts {
	out := amountsOf(p.Requests)
	out[corev1.ResourcePods] = 1
	return out
}

// names lists the resources in a fixed order.
func (a amounts) names() []corev1.ResourceName {
	return slices.Sorted(maps.Keys(a))
}

func (a amounts) add(b amounts, times int64) {
	for name, n := range b {
		a[name] += times * n
	}
}

// raise makes a hold at least what b holds.
func (a amounts) raise(b amounts) {
	for name, n := range b {
		a[name] = max(a[name], n)
	}
}

// quantity prints an amount as its users write it.
func quantity(name corev1.ResourceName, n int64) string {
	switch name {
	case corev1.ResourceCPU:
		return resource.NewMilliQuantity(n, resource.DecimalSI).String()
	case corev1.ResourceMemory, corev1.ResourceEphemeralStorage:
		return resource.NewQuantity(n, resource.BinarySI).String()
	}
	return resource.NewQuantity(n, resource.DecimalSI).String()
}

// Node is what a node could carry, over time.
type Node struct {
	Name string
	// Lost has the moments at which the node was deleted or stopped being ready.
	Lost []Moment

	steps []nodeStep
}

// nodeStep is the room of a node from a moment on; none while it doesn't exist.
type nodeStep struct {
	at   Moment
	room amounts
}

func (r *nodeRecord) finish(name string) *Node {
	node := &Node{Name: name}
	if r.given != nil {
		node.steps = append(node.steps, nodeStep{room: amountsOf(r.given)})
	}
	states := slices.Clone(r.states)
	for _, at := range r.deleted {
		states = append(states, nodeState{at: at})
	}
	slices.SortStableFunc(states, func(a, b nodeState) int { return a.at.By.Compare(b.at.By) })
	newest, wasReady := uint64(0), false
	for _, state := range states {
		deletion := state.version == 0 && state.allocatable == nil
		if !deletion && state.version < newest {
			continue // it was in flight together with a newer write
		}
		newest = max(newest, state.version)
		if wasReady && !state.ready {
			node.Lost = append(node.Lost, state.at)
		}
		wasReady = state.ready
		node.addStep(state)
	}
	return node
}

func (n *Node) addStep(state nodeState) {
	step := nodeStep{at: state.at}
	if len(state.allocatable) > 0 {
		step.room = amountsOf(state.allocatable)
	}
	if last := len(n.steps) - 1; last >= 0 && maps.Equal(n.steps[last].room, step.room) {
		return
	}
	n.steps = append(n.steps, step)
}

// known reports whether the log tells at any time what the node could carry.
func (n *Node) known() bool {
	return slices.ContainsFunc(n.steps, func(s nodeStep) bool { return s.room != nil })
}

// room returns the most that the node may have been able to carry at a time; nil
// if it had no known room. What the log first says of a node is taken to have
// been so before, and while a write is in flight both its sides are allowed.
func (n *Node) room(at time.Time) amounts {
	var room amounts
	known := false
	for i, step := range n.steps {
		if step.room == nil || known && step.at.After.After(at) {
			continue
		}
		first := !known
		known = true
		if i+1 < len(n.steps) && n.steps[i+1].at.By.Before(at) {
			continue
		}
		if first || !step.at.After.After(at) {
			if room == nil {
				room = amounts{}
			}
			room.raise(step.room)
		}
	}
	return room
}
