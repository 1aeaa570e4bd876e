package queue

import (
	"cmp"
	"iter"
	"maps"
	"slices"
	"strings"

	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/resource"
)

// Tree is all queues with what they use and who waits in them. It has one user and no
// lock.
type Tree struct {
	root  *node
	nodes map[string]*node
	list  []*node // by name
	total resource.Vector
	// accounts are what gangs are charged for.
	accounts map[gang.ID]account
	// waits is in which queue a gang waits.
	waits map[gang.ID]*node
	// version changes with what may change whose turn it is, or what he may have.
	version uint64
	// pinned is the gang that goes first.
	pinned gang.ID
	// arrivals changes when gangs come to wait, or cease to.
	arrivals uint64
	// parts changes with what bounds parts of demands, and what queues have of these.
	parts uint64
	// homes are the queues of namespaces whose gangs name none.
	homes map[string]string
}

type account struct {
	queue  string
	charge Demand
}

// node is a queue in the tree. One that is not declared is there for as long as
// somebody waits in it or is charged to it, under the root and with the least weight.
type node struct {
	Spec
	declared bool
	problem  string
	parent   *node
	children []*node // by name
	waiting  *FIFO
	// going are those of them that are not set aside.
	going *FIFO
	// list changes when gangs come to wait in it, or cease to, or change.
	list  uint64
	quiet *quiet

	tally
	// version changes with what the queue may have, and what it has.
	version uint64
	// idle is the tally of a tree in which nothing is used.
	idle tally
	// entitled is what its share is measured by.
	entitled resource.Vector
	// share is worked out when it is asked for.
	share float64
	fresh bool
}

// tally is what a queue and those below it have.
type tally struct {
	// used is what they are charged for, and own what the queue itself is. One that has
	// queues below it has own gangs only if they ran before.
	used Demand
	own  resource.Vector
	// committed is what nobody else may have of what the queue's parent has: what is
	// used, and what is guaranteed and not used. promised is that of its children in sum.
	committed, promised resource.Vector
}

// NewTree returns a tree with the default queue alone.
func NewTree() *Tree {
	t := &Tree{nodes: map[string]*node{}, accounts: map[gang.ID]account{}, waits: map[gang.ID]*node{}, homes: map[string]string{}}
	t.rebuild()
	return t
}

// Set declares a queue, or changes it.
func (t *Tree) Set(s Spec) {
	n := t.node(s.Name)
	n.Spec, n.declared = s, true
	t.rebuild()
}

// Unset takes back that a queue was declared. What it is charged for stays.
func (t *Tree) Unset(name string) {
	if n := t.nodes[name]; n != nil {
		n.Spec, n.declared = undeclared(name), false
		t.rebuild()
	}
}

// SetTotal says how much there is for all queues together.
func (t *Tree) SetTotal(total resource.Vector) {
	if !t.total.Equal(total) {
		t.total = total
		t.version++
		t.root.version++
		t.parts++
		t.entitle(t.root)
	}
}

// SetHome says which queue gangs of a namespace charge that name none, and that they
// may; an empty one takes it back.
func (t *Tree) SetHome(namespace, queue string) {
	t.version++
	if queue == "" {
		delete(t.homes, namespace)
		return
	}
	t.homes[namespace] = queue
}

// Add puts a gang into its queue, or moves it there.
func (t *Tree) Add(e Entry) {
	n := t.known(e.Queue)
	if old := t.waits[e.Gang]; old != nil && old != n {
		t.Remove(e.Gang)
	}
	t.waits[e.Gang] = n
	t.arrivals++
	n.list++
	n.waiting.Add(e)
	n.going.Add(e)
}

// Remove takes a gang out of its queue; it does nothing if the gang does not wait.
func (t *Tree) Remove(id gang.ID) {
	if n := t.waits[id]; n != nil {
		t.arrivals++
		n.list++
		n.waiting.Remove(id)
		n.going.Remove(id)
		delete(t.waits, id)
		t.drop(n)
	}
}

// Position returns the place of a gang in its own queue, counted from 1, or 0.
func (t *Tree) Position(id gang.ID) int {
	if n := t.waits[id]; n != nil {
		return n.waiting.Position(id)
	}
	return 0
}

// Head returns who is first in the queue in which a gang waits.
func (t *Tree) Head(id gang.ID) (Entry, bool) {
	if n := t.waits[id]; n != nil {
		return n.waiting.After(nil)
	}
	return Entry{}, false
}

// All yields all gangs that wait, those of each queue in their order.
func (t *Tree) All() iter.Seq[Entry] {
	return func(yield func(Entry) bool) {
		for _, n := range t.list {
			for e := range n.waiting.All() {
				if !yield(e) {
					return
				}
			}
		}
	}
}

// Version changes whenever queues do, or what they use, or what there is.
func (t *Tree) Version() uint64 { return t.version }

// Len returns how many gangs wait.
func (t *Tree) Len() int { return len(t.waits) }

// undeclared is a queue as Volcano's API has it where nothing is said.
func undeclared(name string) Spec { return Spec{Name: name, Weight: 1, Backfill: name != Root} }

// node returns a queue of that name, which may be new and is not linked then.
func (t *Tree) node(name string) *node {
	n := t.nodes[name]
	if n == nil {
		n = &node{Spec: undeclared(name), waiting: NewFIFO(), going: NewFIFO()}
		t.nodes[name] = n
	}
	return n
}

// known returns the queue of that name, in its place in the tree.
func (t *Tree) known(name string) *node {
	n := t.nodes[name]
	if n == nil {
		n = t.node(name)
		t.rebuild()
	}
	return n
}

// drop forgets a queue that nobody knows any more.
func (t *Tree) drop(n *node) {
	if !n.declared && n.Name != Default && n != t.root && n.waiting.Len() == 0 && n.used.All.IsZero() && len(n.children) == 0 {
		delete(t.nodes, n.Name)
		t.rebuild()
	}
}

// rebuild links all queues anew, and works out what follows from that. Declarations
// change rarely.
func (t *Tree) rebuild() {
	t.version++
	t.parts++
	t.root = t.node(Root)
	t.node(Default)
	t.list = slices.SortedFunc(maps.Values(t.nodes), func(a, b *node) int { return strings.Compare(a.Name, b.Name) })
	for _, n := range t.list {
		n.parent, n.children, n.problem = nil, nil, ""
		n.tally = tally{}
		n.version++
	}
	t.link()
	t.check()
	t.promise(t.root)
	for _, a := range t.accounts {
		t.nodes[a.queue].add(a.charge)
	}
	t.entitle(t.root)
}

// link finds the parent of each queue. One without a way to the root is put right
// under it, and its problem says why.
func (t *Tree) link() {
	for _, n := range t.list {
		if n != t.root {
			n.parent = t.root
			if p := t.nodes[n.Parent]; p != nil && p.declared && t.leadsUp(n) {
				n.parent = p
			}
			n.parent.children = append(n.parent.children, n)
		}
	}
}

// leadsUp says whether who goes from a queue to its parent, and so on, does not come
// by the same queue again.
func (t *Tree) leadsUp(n *node) bool { return t.cycle(n) == nil }

// cycle is the way from a queue up to where it comes to a queue for the second time,
// nil if it does not.
func (t *Tree) cycle(n *node) []string {
	var path []string
	for at := n; at != nil && at != t.root; at = t.nodes[at.Parent] {
		again := slices.Contains(path, at.Name)
		if path = append(path, at.Name); again {
			return path
		}
	}
	return nil
}

// promise works out what queues have from their guarantees alone.
func (t *Tree) promise(n *node) {
	for _, c := range n.children {
		t.promise(c)
		n.promised = n.promised.Add(c.committed)
	}
	n.committed = most(n.promised, n.guarantee())
	n.idle = n.tally
}

// guarantee is what a queue is guaranteed; nothing while its declaration is refused.
func (n *node) guarantee() resource.Vector {
	if n.problem != "" {
		return resource.Vector{}
	}
	return n.Guarantee
}

// path is a queue's name with those of all above it, but for the root.
func (n *node) path() string {
	if n.parent == nil || n.parent.parent == nil {
		return n.Name
	}
	return n.parent.path() + " > " + n.Name
}

// most is the greater amount of each resource.
func most(a, b resource.Vector) resource.Vector {
	out := a
	b.Each(func(name string, value int64) { out = out.With(name, max(value, a.Get(name))) })
	return out
}

// bySeniority orders queues by who was there first.
func bySeniority(a, b *node) int {
	return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.Name, b.Name))
}
