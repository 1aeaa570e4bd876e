// Package core decides. It is the only place that changes gangs, slots and the
// queue: events with their times go in, decisions come out, and what
// concurrent code may read is published on a Board. It does no I/O, starts no
// goroutine but the loop's own, and reads no clock, so a recorded history of
// events replays to the same decisions.
package core

import (
	"slices"
	"time"

	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/ledger"
	"muster.sh/muster/scheduler/planner"
	"muster.sh/muster/scheduler/queue"
)

// Options are the machine's few constants.
type Options struct {
	// ExpectedTimeout is how long room is held for a member that has no pod yet,
	// from the start of its gang on.
	ExpectedTimeout time.Duration
	// BackOff is how long a tenant of whose gang not all came in that time waits with its
	// next one that expects members, and twice as long each further time. With zero it
	// does not.
	BackOff time.Duration
	// BelowMinimum is for gangs that do not say themselves what is to become of them
	// when members are lost.
	BelowMinimum gang.BelowMinimum
	// MaxAttempts is how often a gang is planned again after vetoes before it
	// waits for a change of the cluster and lets others pass.
	MaxAttempts int
	// VetoTimeout is how long a veto of a member's own cycle holds at most.
	VetoTimeout time.Duration
	// CollectTimeout is how long members may take to appear before the gang is
	// told that it waits for them.
	CollectTimeout time.Duration
	// RetryAfter is how long a gang waits after its Reservation could not be
	// stored.
	RetryAfter time.Duration
	// AskAfter is how long a gang must lack the same room until autoscalers are
	// asked for it; zero to ask for none.
	AskAfter time.Duration
	// Strategy makes the strategy of placing from what members that ask for
	// devices usually ask for. It is planner.Pack where it is nil. A journal has its name.
	Strategy func(usual []planner.Sample) planner.Strategy `json:"-"`
	// Backfill is how many gangs behind the first one that waits for room are looked at,
	// whether they may start before it. With zero nobody may.
	Backfill int
	// Moves bounds what is evicted that has room elsewhere, and Reclaim what is that is of
	// others with less right to it. By default nothing is.
	Moves, Reclaim Clearing
}

// DefaultOptions returns what suits most clusters.
func DefaultOptions() Options {
	return Options{
		ExpectedTimeout: 5 * time.Minute, BackOff: time.Minute, BelowMinimum: gang.BelowMinimum{Policy: gang.Continue, Timeout: 5 * time.Minute},
		Backfill: 100, MaxAttempts: 10, VetoTimeout: 30 * time.Second, CollectTimeout: 10 * time.Second, RetryAfter: time.Second,
	}
}

// Machine is the state of all gangs. It has one user and no lock.
//
// Maps of what a step is to do are replaced once that is done, and not cleared: a
// map keeps the size that it once had, and walking it takes the time of that. The
// step that takes up a whole cluster would make every later one slow.
type Machine struct {
	opts   Options
	now    time.Time
	synced bool
	epoch  Epoch

	book    *ledger.Book
	groups  map[gang.ID]*group
	members map[gang.PodID]*member
	queues  *queue.Tree
	// totalAt is the state of the book when the queues were told what there is in all.
	totalAt ledger.Changes
	usual   workload
	// quotaAwaited says that somebody of this turn waits for quota.
	quotaAwaited bool
	// turn is the last time that room was offered to those who wait in the queues.
	turn *queue.Turn
	// aside are hopeless gangs that turns leave out.
	aside map[gang.ID]*group

	nodes map[string]uint64 // how often a node's own state has changed
	// assumed pods of no gang are not known to be bound yet.
	assumed map[gang.PodID]bool
	// backoffs of tenants, by namespace.
	backoffs map[string]backoff
	// budgets are how many more pods of each disruption budget may be evicted now.
	budgets map[string]int
	// move is what is under way to let a gang start; nil for nothing.
	move *move
	// booked is what is known of the start of the first gang that waits for room; nil if
	// none does. bookings counts them.
	booked   *booked
	bookings uint64
	// lookedAt is when it was looked last who may pass it.
	lookedAt time.Time
	past     past

	// unsettled gangs are looked at once more before the step ends.
	unsettled map[gang.ID]bool
	// short gangs have started and lack members of their minimum; elastic ones
	// have members in the hold without a slot.
	short   *queue.FIFO
	elastic *queue.FIFO
	// claimants are started gangs that claim to be non-preemptible, or are, and have changed.
	claimants map[gang.ID]bool
	alarms    alarms
	// full has what members there is no room for, as long as none is freed.
	full   map[string]bool
	fullAt uint64
	// reviewed gangs get their verdict worked out at the end of the step.
	reviewed map[gang.ID]bool
	// seen is the state of the book, and seenQueues that of the queues, when room was
	// last offered; moot is set while nothing else has changed that could let a gang start.
	seen       ledger.Changes
	seenQueues uint64
	moot       bool
	// awaited says that the queue waits for room to come.
	awaited bool

	out []Decision
	// changed placements and dropped ones go to the board.
	placed map[gang.PodID]*Placement
}

// NewMachine returns a machine that has seen nothing.
func NewMachine(opts Options) *Machine {
	queues := queue.NewTree()
	return &Machine{
		opts: opts, book: ledger.New(), queues: queues, turn: queues.Turn(), aside: map[gang.ID]*group{},
		groups: map[gang.ID]*group{}, members: map[gang.PodID]*member{},
		nodes: map[string]uint64{}, assumed: map[gang.PodID]bool{}, backoffs: map[string]backoff{}, budgets: map[string]int{},
		unsettled: map[gang.ID]bool{}, short: queue.NewFIFO(), elastic: queue.NewFIFO(), claimants: map[gang.ID]bool{}, full: map[string]bool{},
		reviewed: map[gang.ID]bool{},
		placed:   map[gang.PodID]*Placement{},
	}
}

// Step takes one event in and returns what is to be done about it. Times must
// not go backwards; one that does is read as the time of the event before.
func (m *Machine) Step(at time.Time, e Event) []Decision {
	if at.After(m.now) {
		m.now = at
	}
	m.take(e)
	m.expire()
	if m.synced {
		m.settle()
		m.offer()
		m.watchBooking()
		m.review()
	}
	m.recharge()
	out := m.out
	m.out = nil
	return out
}

func (m *Machine) take(e Event) {
	switch e := e.(type) {
	case NodeSet:
		m.nodeSet(e.Node)
	case NodeGone:
		m.nodeGone(e.Name)
	case ZonesReported:
		m.book.ReportZones(e.Node, e.Report)
		m.checkSlots(e.Node)
	case PodSet:
		m.podSet(e)
	case PodGone:
		m.podGone(e)
	case Assumed:
		m.assume(e.Pod)
	case Forgotten:
		m.unassume(e.ID)
	case GangSet:
		m.gangSet(e.Gang)
	case GangRefused:
		m.gangRefused(e)
	case GangGone:
		m.gangGone(e.ID)
	case ReservationFound:
		m.group(e.Gang).found = &e
	case ReservationStored:
		m.reservationStored(e)
	case AskFound:
		m.askFound(e.Gang)
	case BudgetSet:
		m.budgets[e.Name] = e.Allowed
	case BudgetGone:
		delete(m.budgets, e.Name)
	case QueueSet:
		m.queueSet(e.Queue)
	case QueueGone:
		m.queueGone(e.Name)
	case NamespaceSet:
		m.namespaceSet(e)
	case AtLatch:
		m.atLatch(e)
	case Parked:
		m.parked(e)
	case Evicted:
		m.evicted(e)
	case Synced:
		m.recover()
	}
}

// settle brings every gang that an event has touched in order, before room is
// offered to any.
func (m *Machine) settle() {
	for len(m.unsettled) > 0 {
		ids := sortedKeys(m.unsettled)
		m.unsettled = map[gang.ID]bool{}
		for _, id := range ids {
			g := m.groups[id]
			collects := g != nil && g.phase == Collecting
			if g != nil {
				m.settleGroup(g)
			}
			// Members that come to a gang which is still not whole let nobody start.
			m.moot = m.moot && collects && g.phase == Collecting
		}
	}
	m.keepGrants()
}

func (m *Machine) decide(d Decision) { m.out = append(m.out, d) }

func (m *Machine) touch(g *group) {
	m.unsettled[g.decl.ID] = true
	if g.asked {
		g.asked = false
		m.queues.Changed(g.decl.ID)
	}
}

func (m *Machine) nextEpoch() Epoch {
	m.epoch++
	return m.epoch
}

func (m *Machine) group(id gang.ID) *group {
	g, ok := m.groups[id]
	if !ok {
		g = newGroup(id)
		m.groups[id] = g
	}
	return g
}

func sortedKeys[K ~string, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
