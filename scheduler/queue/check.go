package queue

import (
	"fmt"
	"slices"
	"strings"

	"muster.sh/muster/scheduler/resource"
)

// check finds what is wrong with the queues' declarations. Of queues that can't all
// have what they declare the oldest have it.
func (t *Tree) check() {
	queue := []*node{t.root}
	for len(queue) > 0 {
		n := queue[0]
		queue = append(queue[1:], n.children...)
		if n.declared && n.problem == "" {
			n.problem = t.faultOf(n)
		}
		n.checkSums()
	}
}

// faultOf is what is wrong with a queue by itself, and with its place in the tree.
func (t *Tree) faultOf(n *node) string {
	if n.Refused != "" {
		return n.Refused
	}
	if n == t.root {
		return n.bounds()
	}
	if n.Parent != "" && n.Parent != Root {
		if p := t.nodes[n.Parent]; p == nil || !p.declared {
			return fmt.Sprintf("spec.parent %s does not exist; create it, or name another", n.Parent)
		}
		if path := t.cycle(n); path != nil {
			return fmt.Sprintf("spec.parent leads in a circle: %s; change one of them", strings.Join(path, " > "))
		}
		if n.parent.problem != "" {
			return fmt.Sprintf("the queue above it is refused: %s: %s", n.parent.path(), n.parent.problem)
		}
	}
	return n.bounds()
}

// bounds compares what a queue declares: guarantee ≤ deserved ≤ capability.
func (n *node) bounds() string {
	for _, d := range n.Deserved {
		if limit, ok := n.Capability.Get(d.Name); ok && d.Value > limit {
			return exceeds("spec.deserved", d.Name, d.Value, "spec.capability", limit)
		}
	}
	var fault string
	n.Guarantee.Each(func(name string, value int64) {
		if limit, ok := n.Deserved.Get(name); ok && value > limit && fault == "" {
			fault = exceeds("spec.guarantee.resource", name, value, "spec.deserved", limit)
		}
		if limit, ok := n.Capability.Get(name); ok && value > limit && fault == "" {
			fault = exceeds("spec.guarantee.resource", name, value, "spec.capability", limit)
		}
	})
	return fault
}

func exceeds(field, name string, value int64, than string, limit int64) string {
	return fmt.Sprintf("%s[%s]=%s is more than %s[%s]=%s; lower the one or raise the other",
		field, name, resource.Format(name, value), than, name, resource.Format(name, limit))
}

// checkSums sees that a queue can give its children what they are guaranteed and
// deserve. Those for which nothing is left are refused.
func (n *node) checkSums() {
	if n.parent == nil && !n.declared {
		return // what there is changes with the nodes
	}
	var guaranteed, deserved resource.Vector
	for _, c := range slices.SortedFunc(slices.Values(n.children), bySeniority) {
		if !c.declared || c.Refused != "" {
			continue
		}
		own := resource.Vector{}
		for _, d := range c.Deserved {
			own = own.With(d.Name, d.Value)
		}
		g, d := guaranteed.Add(c.Guarantee), deserved.Add(own)
		if c.problem = n.lacks("spec.guarantee.resource", c.Guarantee, g, n.guarantees); c.problem == "" {
			c.problem = n.lacks("spec.deserved", own, d, n.Deserved.Get)
		}
		if c.problem == "" {
			guaranteed, deserved = g, d
		}
	}
}

// guarantees is how much of a resource a queue can guarantee to those below it: what
// itself is guaranteed, or else what it may have.
func (n *node) guarantees(name string) (int64, bool) {
	if value := n.Guarantee.Get(name); value > 0 {
		return value, true
	}
	return n.Capability.Get(name)
}

// lacks says that the children of a queue, with a new one, declare more than it has.
func (n *node) lacks(field string, own, all resource.Vector, has func(string) (int64, bool)) (fault string) {
	own.Each(func(name string, _ int64) {
		if limit, ok := has(name); ok && all.Get(name) > limit && fault == "" {
			fault = fmt.Sprintf("with its own %s[%s]=%s the queues of %s would have %s, which has %s; lower it, or raise that of %s",
				field, name, resource.Format(name, own.Get(name)), n.path(), resource.Format(name, all.Get(name)), resource.Format(name, limit), n.Name)
		}
	})
	return fault
}

// Problem says what is wrong with a queue's declaration, and how to mend it; nothing
// for one that is all right.
func (t *Tree) Problem(name string) string {
	if n := t.nodes[name]; n != nil {
		return n.problem
	}
	return ""
}
