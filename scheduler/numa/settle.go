package numa

import "slices"

// Settle foretells what is left, and what each pod takes, once the kubelet has
// admitted all of some pods. It reports false where that depends on the order in
// which the kubelet sees them, or a pod may be refused. What each takes is told in
// the order of the demands if they are all equal; else it is only told for all of
// them together.
func (t *Topology) Settle(s State, demands []*Demand) (State, []Allocation, bool) {
	if !t.Refuses() {
		return s, make([]Allocation, len(demands)), true
	}
	if t.PinnedMemory && slices.ContainsFunc(demands, freesEarly) {
		return nil, nil, false
	}
	o := newOrders(t, demands)
	if !o.admits(s) || o.differs {
		return nil, nil, false
	}
	var taken []Allocation
	for _, d := range demands {
		a, _ := t.Admit(s, d)
		s, taken = s.Take(a), append(taken, a)
	}
	return s, taken, true
}

// freesEarly says whether a pod has init containers, whose memory the kubelet takes
// back while the pod runs on.
func freesEarly(d *Demand) bool {
	return slices.ContainsFunc(d.Containers, func(c Claim) bool { return c.Role == Init && !c.Asks.IsZero() })
}

// note takes in what one order leaves.
func (o *orders) note(end State, certain bool) {
	key := o.key(end)
	o.differs = o.differs || !certain || (o.ends != "" && key != o.ends)
	o.ends = key
}

// Equal says whether as much is left in each zone.
func (s State) Equal(o State) bool {
	return slices.EqualFunc(s, o, func(a, b Free) bool {
		return a.Left.Equal(b.Left) && a.Blocks == b.Blocks && a.Group == b.Group
	})
}
