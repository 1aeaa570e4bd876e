package core

import (
	"fmt"
	"slices"

	"muster.sh/muster/scheduler/queue"
	"muster.sh/muster/scheduler/resource"
	"muster.sh/muster/scheduler/victims"
)

// Invariants of what is taken from others for a gang.

// takesByRight holds what is taken against the rights of queues, by the plain sums of
// what each uses.
func takesByRight(s Seen) error {
	m, units := s.Machine, s.moved()
	if len(units) == 0 || m.move.by != reclaiming || !s.knew(units) {
		return nil
	}
	g, used := m.move.group, s.usedBefore()
	own, more := m.chain(g), m.need(g).sum()
	for k := range units {
		u, v := &units[k], m.groups[units[k].Gang]
		if d := v.decl.Runtime; m.move.late[u.Gang] && d > 0 && m.now.Sub(v.launched) >= startup+d {
			continue // it has not kept to what it declared
		}
		theirs := m.chain(v)
		if own[0].Name == theirs[0].Name {
			mine, its := m.entry(g).Priority, m.entry(v).Priority
			if lower, elastic := its < mine && !g.first().Meek, !u.Whole && its <= mine; !lower && !elastic {
				return fmt.Errorf("%v, whose priority is %d, gives way to %s, whose priority is %d", *u, its, g.decl.ID, mine)
			}
			continue
		}
		own, theirs := apart(own, theirs), apart(theirs, own)
		if top := own[len(own)-1]; exceedsIn(more, used[top.Name].Add(more), top.Entitled) {
			return fmt.Errorf("%v gives way to %s, whose queue %s would borrow itself", *u, g.decl.ID, top.Name)
		}
		if !slices.ContainsFunc([]string{resource.CPU, resource.Memory, resource.Pods, "example.com/gpu"}, func(name string) bool {
			return more.Get(name) > 0 && !slices.ContainsFunc(theirs, func(q queue.Record) bool {
				return s.without(k, q.Name, used).Get(name) <= q.Entitled.Get(name)
			})
		}) {
			return fmt.Errorf("%v gives way to %s, and has borrowed nothing of what that asks for", *u, g.decl.ID)
		}
	}
	return nil
}

// exceedsIn says whether something that is asked for would be used beyond a limit.
func exceedsIn(more, used, limit resource.Vector) bool {
	exceeds := false
	more.Each(func(name string, asked int64) { exceeds = exceeds || asked > 0 && used.Get(name) > limit.Get(name) })
	return exceeds
}

// apart are the queues of a way up that are not on another.
func apart(way, other []queue.Record) []queue.Record {
	return slices.DeleteFunc(slices.Clone(way), func(q queue.Record) bool {
		return slices.ContainsFunc(other, func(o queue.Record) bool { return o.Name == q.Name })
	})
}

// usedBefore is what queues used before anything was given back for the move.
func (s Seen) usedBefore() map[string]resource.Vector {
	m, used := s.Machine, map[string]resource.Vector{}
	for _, r := range m.queues.Records() {
		used[r.Name] = r.Used
	}
	for _, u := range m.move.units {
		s.addUp(used, &u, s.heldBy(&u))
	}
	return used
}

// heldBy is what was held for members of a unit to come.
func (s Seen) heldBy(u *victims.Unit) resource.Vector {
	var sum resource.Vector
	for _, id := range u.Slots {
		sum = sum.Add(s.Before.slots[id].Shape.Request)
	}
	return sum
}

func (s Seen) addUp(used map[string]resource.Vector, u *victims.Unit, v resource.Vector) {
	for _, q := range s.Machine.chain(s.Machine.groups[u.Gang]) {
		used[q.Name] = used[q.Name].Add(v)
	}
}

// without is what a queue would use with all units gone but one, and without the pods
// that are being deleted.
func (s Seen) without(k int, name string, used map[string]resource.Vector) resource.Vector {
	m, gone := s.Machine, map[string]resource.Vector{}
	for i, u := range m.move.units {
		if i != k {
			s.addUp(gone, &u, s.has(&u))
		}
	}
	for _, id := range m.vacating() {
		if mem := m.members[id]; !s.goes(id) {
			p, _ := m.book.Pod(id)
			s.addUp(gone, &victims.Unit{Gang: mem.Gang}, p.Request)
		}
	}
	return used[name].Sub(gone[name])
}

// has is what a unit has with what was held for it.
func (s Seen) has(u *victims.Unit) resource.Vector {
	sum := s.heldBy(u)
	for _, p := range u.Pods {
		pod, _ := s.Machine.book.Pod(p.ID)
		sum = sum.Add(pod.Request)
	}
	return sum
}

// lackWithout is the quota that the gang of the move lacks once some of the units have
// gone.
func (s Seen) lackWithout(units []victims.Unit) float64 {
	m, g := s.Machine, s.Machine.move.group
	var losses []queue.Loss
	add := func(u *victims.Unit, v resource.Vector) {
		losses = append(losses, queue.Loss{Queue: m.queues.ChargedTo(u.Gang), Of: v})
	}
	for _, u := range units {
		add(&u, s.has(&u).Sub(s.heldBy(&u)))
	}
	for _, u := range s.staying(units) {
		add(&u, s.heldBy(&u).Scale(-1))
	}
	for _, id := range m.vacating() {
		if !s.goes(id) {
			p, _ := m.book.Pod(id)
			add(&victims.Unit{Gang: p.Gang}, p.Request)
		}
	}
	return m.queues.Claim(m.entry(g), m.need(g).sum(), false, nil).Lack(losses)
}
