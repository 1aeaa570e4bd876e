package core

import (
	"cmp"
	"slices"
	"time"

	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/ledger"
)

// Phase is where a gang is in its life.
type Phase string

// The phases of a gang, in their usual order.
const (
	// Collecting: its declaration or members of its minimum are to come.
	Collecting Phase = "Collecting"
	// Waiting: it is whole and waits in the queue for room.
	Waiting Phase = "Waiting"
	// Storing: room is held; the Reservation is being stored.
	Storing Phase = "Storing"
	// Starting: its members run through their cycles towards the latch.
	Starting Phase = "Starting"
	// Started: the latch is open, and stays open.
	Started Phase = "Started"
)

// group is a gang with its members. What room it holds is in the book.
type group struct {
	decl     gang.Gang
	declared bool
	refused  gang.Verdict
	phase    Phase
	// epoch of the plan by which it was, or is being, started.
	epoch   Epoch
	members map[gang.PodID]*member
	order   []*member // the same, oldest first
	// ended counts, by role, members of the minimum that ended well, or that
	// are not replaced; lost counts those that never came. The minimum is less
	// by both.
	ended map[string]int
	lost  map[string]int
	// deadlines of slots that wait for a member.
	deadlines map[ledger.SlotID]time.Time

	// alarm is when the gang has to be looked at next.
	alarm time.Time
	// attempts that came to nothing, and when the next one is due.
	attempts int
	retryAt  time.Time
	// tried says that planning failed at this state of the book.
	tried   bool
	triedAt ledger.Changes
	// blocks says that the gang waits for room that others will free, so that
	// none behind it may start. It hopes for room on these nodes.
	blocks bool
	hope   map[string]bool
	// vetoes by shape and node, and the last of them in words.
	vetoes map[string]map[string]veto
	veto   string

	// stored is what the Reservation holds, as far as it was ordered.
	stored []ReservedSlot
	found  *ReservationFound

	verdict   gang.Verdict
	explained gang.Code
	// collectingUntil is when missing members are made known. The verdict is not
	// shown at once, for pods of one gang are rarely created all together.
	collectingUntil time.Time
	// reported is the last status that was ordered.
	reported Status
}

// member is a pod of a gang.
type member struct {
	Member
	state memberState
	node  string // where it is bound
	// terminating members are never released.
	terminating bool
	epoch       Epoch
	retries     int
}

type memberState int

const (
	held     memberState = iota // in the hold
	released                    // in kube-scheduler's hands
	latched                     // past everything but its bind
	bound
)

func newGroup(id gang.ID) *group {
	return &group{
		decl: gang.Gang{ID: id}, phase: Collecting, members: map[gang.PodID]*member{},
		ended: map[string]int{}, lost: map[string]int{}, deadlines: map[ledger.SlotID]time.Time{}, vetoes: map[string]map[string]veto{},
	}
}

// join adds a member. What was planned for the members that wait holds no
// more if an older one takes its turn among them.
func (g *group) join(mem *member) {
	i, _ := slices.BinarySearchFunc(g.order, mem, byAge)
	g.order = slices.Insert(g.order, i, mem)
	g.members[mem.ID] = mem
	g.tried = g.tried && i == len(g.order)-1
}

// leave takes a member out; another may take its turn.
func (g *group) leave(mem *member) {
	i, _ := slices.BinarySearchFunc(g.order, mem, byAge)
	g.order = slices.Delete(g.order, i, i+1)
	delete(g.members, mem.ID)
	g.tried = false
}

// sorted returns the members that pass a test, oldest first.
func (g *group) sorted(keep func(*member) bool) []*member {
	var out []*member
	for _, mem := range g.order {
		if keep(mem) {
			out = append(out, mem)
		}
	}
	return out
}

func (g *group) count(state memberState) int {
	n := 0
	for _, mem := range g.order {
		if mem.state == state {
			n++
		}
	}
	return n
}

// runs says whether a member is bound that is not being deleted.
func (g *group) runs() bool {
	return slices.ContainsFunc(g.order, func(mem *member) bool { return mem.state == bound && !mem.terminating })
}

// starting says whether room is held, and the latch still shut.
func (g *group) starting() bool { return g.phase == Storing || g.phase == Starting }

// busy says whether members are still on their way back to the hold. Those that
// are being deleted need not come back.
func (g *group) busy() bool { return g.phase == Waiting && g.inFlight() }

func (g *group) inFlight() bool {
	return slices.ContainsFunc(g.order, func(mem *member) bool {
		return (mem.state == released || mem.state == latched) && !mem.terminating
	})
}

// minimum is the minimum of a role, less those that ended or were lost.
func (g *group) minimum(r gang.Role) int { return max(r.Min-g.ended[r.Name]-g.lost[r.Name], 0) }

// size is the minimum of the whole gang, less those that ended or were lost.
func (g *group) size() int {
	perRole := 0
	for _, r := range g.decl.Roles {
		perRole += g.minimum(r)
	}
	return max(perRole, g.decl.MinMember-sum(g.ended)-sum(g.lost))
}

func sum(counts map[string]int) int {
	total := 0
	for _, n := range counts {
		total += n
	}
	return total
}

// need is what a gang lacks to be whole: members with a pod and without a
// slot, and numbers of expected ones by role.
type need struct {
	members  []*member
	expected []expectation
	// whole is false where members are lacking that are not expected.
	whole bool
	// detail says which, in words.
	lack int
}

type expectation struct {
	role  gang.Role
	count int
}

func (n need) empty() bool { return len(n.members) == 0 && len(n.expected) == 0 }

// need works out what the minimum lacks, given the slots that are held.
func (g *group) need(slots []*ledger.Slot, claimed func(gang.PodID) bool) need {
	n := need{whole: true}
	have := minimumSlots(slots)
	free := map[string][]*member{}
	for _, mem := range g.sorted(func(mem *member) bool {
		return mem.state != bound && !mem.terminating && !claimed(mem.ID)
	}) {
		free[mem.Role] = append(free[mem.Role], mem)
	}
	for _, r := range g.decl.Roles {
		lack := g.minimum(r) - have[r.Name]
		if lack <= 0 {
			continue
		}
		take := min(lack, len(free[r.Name]))
		n.members = append(n.members, free[r.Name][:take]...)
		free[r.Name] = free[r.Name][take:]
		if lack -= take; lack > 0 && r.Expected {
			n.expected = append(n.expected, expectation{r, lack})
		} else if lack > 0 {
			n.whole = false
			n.lack += lack
		}
	}
	n.fromAnyRole(free, g.lackOfAnyRole(have))
	return n
}

// minimumSlots counts the slots of the minimum by role.
func minimumSlots(slots []*ledger.Slot) map[string]int {
	have := map[string]int{}
	for _, s := range slots {
		if !s.Elastic {
			have[s.Role]++
		}
	}
	return have
}

// lackOfAnyRole is how many slots the gang's whole minimum lacks when every
// role has what it needs: members of any role make up for these. Below zero,
// there are as many too many.
func (g *group) lackOfAnyRole(have map[string]int) int {
	covered := 0
	for _, r := range g.decl.Roles {
		covered += max(g.minimum(r), have[r.Name])
	}
	for name, count := range have {
		if _, declared := g.decl.Role(name); !declared {
			covered += count
		}
	}
	return g.size() - covered
}

// fromAnyRole adds the oldest members that are left to a need.
func (n *need) fromAnyRole(free map[string][]*member, count int) {
	if count <= 0 {
		return
	}
	var rest []*member
	for _, list := range free {
		rest = append(rest, list...)
	}
	slices.SortFunc(rest, byAge)
	take := min(count, len(rest))
	n.members = append(n.members, rest[:take]...)
	if take < count {
		n.whole = false
		n.lack += count - take
	}
}

func byAge(a, b *member) int {
	return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
}
