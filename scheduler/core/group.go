package core

import (
	"slices"
	"time"

	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/ledger"
	"muster.sh/muster/scheduler/queue"
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
	// Leaving: it is below its minimum, and what is left of it is being evicted.
	Leaving Phase = "Leaving"
)

// group is a gang with its members. What room it holds is in the book.
type group struct {
	decl     gang.Gang
	declared bool
	refused  gang.Verdict
	phase    Phase
	// epoch of the plan by which it was, or is being, started.
	epoch Epoch
	roster
	// wholeBy is when a started gang that is not whole must be, if its policy says
	// so. It is zero while it is whole.
	wholeBy   time.Time
	departure departure
	// grant is what its queue has granted it as non-preemptible.
	grant grant
	// complete says that all of the minimum have come since it started.
	complete bool
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
	// judged is why it failed, surely if the planner can't have missed a way.
	judged gang.Verdict
	surely bool
	// sized says that it was found to fit into the cluster, were it empty, as its nodes were.
	sized   bool
	sizedAt uint64
	// quota is why its queue had none for it when it was its turn; nil if it had.
	quota *queue.Refusal
	// quotaAt is the version of the queues at that time. asked says that nothing has
	// happened to the gang since.
	quotaAt uint64
	asked   bool
	// bounded says that the queue has no quota for some member above the minimum.
	bounded bool
	// blocks says that the gang waits for room that others will free, so that
	// none behind it may start. It hopes for room on these nodes.
	blocks bool
	hope   map[string]bool
	// waitsSince is when it was whole, and began to wait.
	waitsSince time.Time
	// clearsAt is when it is looked, by each way, for what could make room, or, while room
	// is being made so, when that is given up. pauses are how long it took from the last
	// search in vain to the next. vain is why the last attempt came to nothing.
	clearsAt [ways]time.Time
	pauses   [ways]time.Duration
	vain     string
	// launched is when it got the room to start.
	launched time.Time
	// startsAt is when it is booked to start, if it is. passedOver is when it was found out
	// last that it can't pass the gang that is booked.
	startsAt   time.Time
	passedOver passedOver
	// fills is what came of offering room to a started gang.
	fills fills
	// vetoes by shape and node, and the last of them in words.
	vetoes map[string]map[string]veto
	veto   string
	// roaming has the keys of members that roam; allRoam says that all do that may.
	// pause is what was made last because such a member had found no node.
	roaming map[string]bool
	allRoam bool
	pause   time.Duration

	// stored is what the Reservation holds, as far as it was ordered.
	stored []ReservedSlot
	found  *ReservationFound
	// storedAt is the version of what the gang held then.
	storedAt uint64

	// ask is what autoscalers were asked for.
	ask ask

	// since is when the verdict came to be of its kind, whether that is shown or not.
	since struct {
		code gang.Code
		at   time.Time
	}
	// explained is the kind of verdict that was shown last.
	explained gang.Code
	// collectingUntil is when missing members are made known. The verdict is not
	// shown at once, for pods of one gang are rarely created all together.
	collectingUntil time.Time
	// reported is the last status that was ordered.
	reported Status
}

func newGroup(id gang.ID) *group {
	return &group{
		decl: gang.Gang{ID: id}, phase: Collecting, roster: newRoster(),
		ended: map[string]int{}, lost: map[string]int{}, deadlines: map[ledger.SlotID]time.Time{}, vetoes: map[string]map[string]veto{}, roaming: map[string]bool{},
	}
}

// starting says whether room is held, and the latch still shut.
func (g *group) starting() bool { return g.phase == Storing || g.phase == Starting }

// busy says whether members are still on their way back to the hold.
func (g *group) busy() bool { return g.phase == Waiting && g.inFlight() }

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

// isWhole says whether as many members are bound as the minimum has.
func (g *group) isWhole() bool {
	return g.all[bound] >= g.size() &&
		!slices.ContainsFunc(g.decl.Roles, func(r gang.Role) bool { return g.running[r.Name] < g.minimum(r) })
}

func sum(counts map[string]int) int {
	total := 0
	for _, n := range counts {
		total += n
	}
	return total
}

// missing is how many members a gang that holds nothing lacks to be whole,
// beside those that are expected.
func (g *group) missing() int {
	missing, perRole, rest := 0, 0, sum(g.waiting)
	for _, r := range g.decl.Roles {
		least := g.minimum(r)
		there := min(least, g.waiting[r.Name])
		perRole += least
		rest -= there
		if !r.Expected {
			missing += least - there
		}
	}
	return missing + max(g.size()-perRole-rest, 0)
}
