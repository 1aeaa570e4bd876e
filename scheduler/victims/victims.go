// Package victims finds whose going lets a gang start: the cheapest work that stands in
// its way and may be asked to go, be it that there is room for it elsewhere, or that the
// gang has the better right. It is a pure search on what-ifs of the ledger; who evicts
// anybody, and when, is not decided here.
package victims

import (
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/ledger"
	"muster.sh/muster/scheduler/planner"
)

// Unit is work that goes together: a member that its gang can do without for a while, or
// a whole gang.
type Unit struct {
	Gang gang.ID
	// Whole says that all of the gang goes.
	Whole bool
	Pods  []Pod
	// Slots are held for members to come, and free as soon as it goes.
	Slots []ledger.SlotID
	// Cost of its going, above zero.
	Cost int64
	// Again is how it is placed once it comes back. Without wants it need not fit
	// anywhere.
	Again planner.Request
}

// Pod is one that would go.
type Pod struct {
	ID gang.PodID
	// Budget is the disruption budget against which its going counts; mostly empty.
	Budget string
}

// Query is what is looked for, and how far.
type Query struct {
	// Request of the gang that waits.
	Request planner.Request
	// Units that may go.
	Units []Unit
	// Leaving pods are on their way out whatever is found.
	Leaving []gang.PodID
	// Rights limit who may go, beside the budgets; nil for no such limits.
	Rights Rights
	// Budgets says how many more pods of each may go now. Of one that is not there
	// none may.
	Budgets map[string]int
	// MaxPods is how many pods may go at most.
	MaxPods int
	// MaxTries bounds the search for something cheaper than what was found first, and
	// so its time. A try looks at one set of units; a proof that all of a set fit
	// counts for 16.
	MaxTries int
}

// Rights are what a gang may take from others.
type Rights interface {
	// Allow says whether units may go together for the gang. Of units that may, fewer
	// may as well.
	Allow(units []*Unit) bool
	// Lack is how much of its quota the gang lacks once units have gone, as a part of
	// what it may have; zero if nothing. It never grows with the units.
	Lack(units []*Unit) float64
}

// Found is whose going lets the gang start.
type Found struct {
	Units []Unit
	// Shares are where the gang fits then.
	Shares []planner.Share
	Cost   int64
}

// Search finds units such that, once they have gone, the gang has the quota and fits, and
// then each unit fits again in the room that is left. It reports false if it finds none, or if the gang
// fits without them.
//
// What it finds is irreducible: without any one of the units this is not so. As far as
// the tries go it is the cheapest of all sets as well; sets that are not reached are
// stood for by what a greedy choice finds. Both are proven in the same way: the gang is
// planned first, as it will be, and then the units one by one. Nobody goes from a node
// that no member of the gang could use.
func Search(book *ledger.Book, q *Query) (Found, bool) {
	s := newSearch(book, q)
	if _, missing := s.prove(nil); missing == nothing {
		return Found{}, false
	}
	best := s.greedily()
	if cheaper := s.cheapest(best, q.MaxTries); cheaper != nil {
		best = cheaper
	}
	if best == nil {
		return Found{}, false
	}
	out := Found{Cost: s.cost(best)}
	out.Shares, _ = s.prove(best)
	for _, u := range best {
		out.Units = append(out.Units, *s.units[u].Unit)
	}
	return out, true
}
