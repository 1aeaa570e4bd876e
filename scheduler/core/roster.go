package core

import (
	"cmp"
	"slices"
	"time"

	"muster.sh/muster/scheduler/gang"
)

// member is a pod of a gang.
type member struct {
	Member
	// key is equal for members that are interchangeable.
	key   string
	state memberState
	node  string // where it is bound
	// terminating members are never released.
	terminating bool
	// since is when it was seen to be bound.
	since   time.Time
	epoch   Epoch
	retries int
	// roams says that it may run on any node that its own cycle chooses.
	roams bool
	// evicting says that an eviction is under way, and kept why it does not succeed.
	evicting bool
	kept     string
}

// runs says whether a member is bound and not being deleted.
func (mem *member) runs() bool { return mem.state == bound && !mem.terminating }

type memberState int

const (
	held     memberState = iota // in the hold
	released                    // in kube-scheduler's hands
	latched                     // past everything but its bind
	bound
	numStates
)

// wantKey is equal for members, and expected ones, that one want stands for.
func wantKey(role string, s *gang.Shape) string { return role + "\x00" + s.Signature() }

// roster is the members of a gang, in order and counted.
type roster struct {
	members map[gang.PodID]*member
	order   []*member // oldest first
	// all counts the members by state, live those that are not being deleted.
	all, live [numStates]int
	// waiting counts, by role, live members that are not bound.
	waiting map[string]int
	// running counts, by role, members that are bound.
	running map[string]int
}

func newRoster() roster {
	return roster{members: map[gang.PodID]*member{}, waiting: map[string]int{}, running: map[string]int{}}
}

// join adds a member, and reports whether it is the youngest.
func (r *roster) join(mem *member) bool {
	i, _ := slices.BinarySearchFunc(r.order, mem, byAge)
	r.order = slices.Insert(r.order, i, mem)
	r.members[mem.ID] = mem
	r.count(mem, 1)
	return i == len(r.order)-1
}

func (r *roster) leave(mem *member) {
	i, _ := slices.BinarySearchFunc(r.order, mem, byAge)
	r.order = slices.Delete(r.order, i, i+1)
	delete(r.members, mem.ID)
	r.count(mem, -1)
}

// set moves a member to a state.
func (r *roster) set(mem *member, s memberState) {
	r.count(mem, -1)
	mem.state = s
	r.count(mem, 1)
}

// change makes a member one of another role or shape.
func (r *roster) change(mem *member, role string, s gang.Shape) {
	r.count(mem, -1)
	mem.Role, mem.Shape, mem.key = role, s, wantKey(role, &s)
	r.count(mem, 1)
}

// die notes that a member is being deleted.
func (r *roster) die(mem *member) {
	r.count(mem, -1)
	mem.terminating = true
	r.count(mem, 1)
}

func (r *roster) count(mem *member, by int) {
	r.all[mem.state] += by
	if mem.state == bound {
		add(r.running, mem.Role, by)
	}
	if mem.terminating {
		return
	}
	r.live[mem.state] += by
	if mem.state != bound {
		add(r.waiting, mem.Role, by)
	}
}

func add(counts map[string]int, role string, by int) {
	if counts[role] += by; counts[role] == 0 {
		delete(counts, role)
	}
}

// runs says whether a member is bound that is not being deleted.
func (r *roster) runs() bool { return r.live[bound] > 0 }

// inFlight says whether members are in kube-scheduler's hands. Those that are
// being deleted need not come back.
func (r *roster) inFlight() bool { return r.live[released]+r.live[latched] > 0 }

func byAge(a, b *member) int {
	return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
}
