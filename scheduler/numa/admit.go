package numa

import (
	"fmt"
	"slices"

	"muster.sh/muster/scheduler/resource"
)

// Refusal says why a pod is not admitted.
type Refusal struct {
	Policy Policy
	// Resource is what could not be had as the policy wants it. It is empty where
	// each resource could be had, but not all from the same zones.
	Resource string
	// Doubt says that the kubelet might admit the pod: counts do not tell.
	Doubt bool
}

// String is the reason as people read it.
func (r *Refusal) String() string {
	switch {
	case r.Doubt:
		return fmt.Sprintf("whether the zones have enough %s cannot be foretold under policy %s", r.Resource, r.Policy)
	case r.Resource == "":
		return fmt.Sprintf("no zones have all that is asked for together under policy %s", r.Policy)
	}
	return fmt.Sprintf("no zones have enough %s under policy %s", r.Resource, r.Policy)
}

func (t *Topology) refusal(name string) *Refusal { return &Refusal{Policy: t.Policy, Resource: name} }

func (t *Topology) doubt(w resource.Amount) *Refusal {
	return &Refusal{Policy: t.Policy, Resource: w.Name, Doubt: true}
}

// Admit foretells what the kubelet does with a pod that is new to it: what it
// takes from which zones, or why it refuses. The Refusal is nil if it admits.
func (t *Topology) Admit(s State, d *Demand) (Allocation, *Refusal) {
	a := admission{t: t, left: slices.Clone(s)}
	if refusal := a.pod(d); refusal != nil {
		return Allocation{}, refusal
	}
	return Allocation{Blocks: a.blocks, Uncertain: a.uncertain}, nil
}

// admission is one pod on its way in. Containers are admitted one after the
// other, each finding what those before it left.
type admission struct {
	t      *Topology
	left   State
	blocks []Block
	// uncertain says that some block may be of another zone.
	uncertain bool
	// pools and leftovers are what init containers leave to the containers after
	// them: CPUs and devices, and memory.
	pools     []pool
	leftovers []Block
}

func (a *admission) pod(d *Demand) *Refusal {
	var whole hint
	if a.t.Scope == Pod && !a.t.none() {
		h, refusal := a.ask(a.t.total(d))
		if refusal != nil {
			return refusal
		}
		whole = h
	}
	for i := range d.Containers {
		c := &d.Containers[i]
		w, h := a.t.wants(d, c.Asks), whole
		if a.t.Scope != Pod && !a.t.none() {
			var refusal *Refusal
			if h, refusal = a.ask(w); refusal != nil {
				return refusal
			}
		}
		if refusal := a.allocate(c.Role, w, h); refusal != nil {
			return refusal
		}
	}
	return nil
}

// ask is the hint that the policy makes of what each resource offers.
func (a *admission) ask(w wants) (hint, *Refusal) {
	for _, want := range w.counted {
		if a.t.Refuses() && a.pool(want.Name).unknown {
			return hint{}, a.t.doubt(want)
		}
	}
	all, refusal := a.hints(w)
	if refusal != nil {
		return hint{}, refusal
	}
	return a.t.merge(all)
}

// allocate takes what one container wants, from the zones of the hint as far as
// they have it.
func (a *admission) allocate(role Role, w wants, h hint) *Refusal {
	for _, want := range w.counted {
		if refusal := a.allocateCounted(role, want, h.mask); refusal != nil {
			return refusal
		}
	}
	if len(w.memory) > 0 {
		return a.allocateMemory(role, w.memory, h)
	}
	return nil
}

// block books what is taken.
func (a *admission) block(b Block) {
	a.left.take(b)
	a.blocks = append(a.blocks, b)
}
