package numa

import (
	"slices"
	"strconv"
)

// steps bounds how many states AdmitAll looks at: 256 admissions are well below
// a millisecond. Pods of one kind need one state each, n of one kind and m of
// another (n+1)(m+1) unless their order decides who gets which zone; 15 of each
// of two kinds are within it, and so are any five pods.
const steps = 256

// AdmitAll says whether all pods are admitted in whatever order the kubelet sees
// them, which need not be that in which they were bound, as long as no other pod
// ends meanwhile: room that becomes free may lead one to another zone. A state
// that becomes uncertain before the last, or a search beyond its bound, counts
// as no.
func (t *Topology) AdmitAll(s State, demands []*Demand) bool {
	if !t.Refuses() {
		return true
	}
	if slices.ContainsFunc(demands, func(d *Demand) bool { return t.Times(s, d, 1) == 0 }) {
		return false // it may come first
	}
	return t.haveOneZone(s, demands) || newOrders(t, demands).admits(s)
}

// haveOneZone says whether some zone has room for all pods, each of which is admitted
// to one zone or not at all. Then none is refused: whichever others are in that zone,
// there is room for it beside them.
func (t *Topology) haveOneZone(s State, demands []*Demand) bool {
	all := Demand{Containers: make([]Claim, 1)}
	asks := &all.Containers[0].Asks
	for _, d := range demands {
		if !t.oneZone(d) {
			return false
		}
		*asks = asks.Add(d.Containers[0].Asks)
		all.Pinned = all.Pinned || d.Pinned
	}
	asks.MilliCPU = (asks.MilliCPU + 999) / 1000 * 1000 // parts of CPUs must not hide whole ones
	for z := range s {
		if t.timesByZone(s[z:z+1], &all, 1) == 1 {
			return true
		}
	}
	return false
}

// orders searches all orders of some pods. Equal pods are interchangeable, and
// what is still to come is judged once for each state.
type orders struct {
	t     *Topology
	kinds []*Demand
	left  []int
	seen  map[string]bool
	// ends is what one order leaves, and differs says that another leaves something
	// else, or that it is not certain.
	ends    string
	differs bool
}

func newOrders(t *Topology, demands []*Demand) *orders {
	o := &orders{t: t, seen: map[string]bool{}}
	for _, d := range demands {
		o.add(d)
	}
	return o
}

func (o *orders) add(d *Demand) {
	i := slices.IndexFunc(o.kinds, d.Equal)
	if i < 0 {
		i = len(o.kinds)
		o.kinds, o.left = append(o.kinds, d), append(o.left, 0)
	}
	o.left[i]++
}

// admits says whether all that is left is admitted in all orders. The first no
// ends the whole search, so what was seen is a yes, now or at the end.
func (o *orders) admits(s State) bool {
	key := o.key(s)
	if o.seen[key] {
		return true
	}
	if o.seen[key] = true; len(o.seen) > steps {
		return false
	}
	for i, d := range o.kinds {
		if o.left[i] == 0 {
			continue
		}
		a, refusal := o.t.Admit(s, d)
		if refusal != nil {
			return false
		}
		o.left[i]--
		last := !slices.ContainsFunc(o.left, func(n int) bool { return n > 0 })
		if last {
			o.note(s.Take(a), !a.Uncertain)
		}
		admitted := last || !a.Uncertain && o.admits(s.Take(a))
		o.left[i]++
		if !admitted {
			return false
		}
	}
	return true
}

// key tells states and what is left apart.
func (o *orders) key(s State) string {
	var key []byte
	for _, n := range o.left {
		key = append(strconv.AppendInt(key, int64(n), 36), ' ')
	}
	for i := range s {
		key = append(strconv.AppendInt(key, int64(s[i].Blocks), 36), ' ')
		key = append(strconv.AppendUint(key, uint64(s[i].Group), 36), ' ')
		s[i].Left.Each(func(name string, value int64) {
			key = append(strconv.AppendInt(append(key, name...), value, 36), ' ')
		})
	}
	return string(key)
}
