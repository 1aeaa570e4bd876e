package victims

import (
	"cmp"
	"slices"

	"muster.sh/muster/scheduler/cluster"
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/ledger"
	"muster.sh/muster/scheduler/planner"
)

// search is the state of one search. Sets of units are indices into units, ascending.
type search struct {
	q    *Query
	book *ledger.Book
	// rows are the cluster once the leaving pods have gone; at finds them by node.
	rows    []cluster.Row
	at      map[string]int
	leaving map[int][]gang.PodID // by row
	// units that could make room, the cheapest first.
	units []unit
	// fit is how many members of each want fit on each row, and total on all of them.
	fit   [][]int
	total []int
	// banned units found no other place.
	banned map[int]bool
}

// unit is a Unit with the rows that its pods and slots are on.
type unit struct {
	*Unit
	on   map[int][]gang.PodID
	held map[int][]ledger.SlotID
	// rows are the keys of both, ascending.
	rows []int
	// twin says that the unit before is the same to everybody.
	twin bool
}

func newSearch(book *ledger.Book, q *Query) *search {
	s := &search{q: q, book: book, at: map[string]int{}, leaving: map[int][]gang.PodID{}, banned: map[int]bool{}}
	txn := book.Begin()
	txn.Evict(q.Leaving...)
	s.rows = slices.Clone(txn.View().Rows)
	for i := range s.rows {
		s.at[s.rows[i].Node.Name] = i
	}
	for _, id := range q.Leaving {
		if i, ok := s.rowOf(id); ok {
			s.leaving[i] = append(s.leaving[i], id)
		}
	}
	s.count()
	s.gather()
	return s
}

func (s *search) rowOf(id gang.PodID) (int, bool) {
	p, _ := s.book.Pod(id)
	i, ok := s.at[p.Node]
	return i, ok
}

// count works out how many members fit before anybody goes.
func (s *search) count() {
	s.fit, s.total = make([][]int, len(s.q.Request.Wants)), make([]int, len(s.q.Request.Wants))
	for w := range s.q.Request.Wants {
		s.fit[w] = make([]int, len(s.rows))
		for i := range s.rows {
			s.fit[w][i] = s.times(w, i, s.rows[i])
			s.total[w] += s.fit[w][i]
		}
	}
}

// times is how many members of want w fit on row i as it would be.
func (s *search) times(w, i int, row cluster.Row) int {
	want := &s.q.Request.Wants[w]
	if s.q.Request.Excluded != nil && s.q.Request.Excluded(&want.Shape, s.rows[i].Node.Name) {
		return 0
	}
	return row.Times(&want.Shape, want.Count)
}

// gather keeps the units that are on a node which some member of the gang may use, or
// have some of the quota that it lacks.
func (s *search) gather() {
	for k := range s.q.Units {
		u := unit{Unit: &s.q.Units[k], on: map[int][]gang.PodID{}, held: map[int][]ledger.SlotID{}}
		for _, p := range u.Pods {
			if i, ok := s.rowOf(p.ID); ok {
				u.rows, u.on[i] = append(u.rows, i), append(u.on[i], p.ID)
			}
		}
		for _, id := range u.Slots {
			if i, ok := s.at[s.book.Slot(id).Node]; ok {
				u.rows, u.held[i] = append(u.rows, i), append(u.held[i], id)
			}
		}
		slices.Sort(u.rows)
		u.rows = slices.Compact(u.rows)
		if slices.ContainsFunc(u.rows, s.useful) || s.makesUp(u.Unit) {
			s.units = append(s.units, u)
		}
	}
	slices.SortStableFunc(s.units, func(a, b unit) int { return cmp.Or(cmp.Compare(a.Cost, b.Cost), slices.Compare(a.rows, b.rows)) })
	for k := 1; k < len(s.units); k++ {
		s.units[k].twin = s.alike(&s.units[k-1], &s.units[k])
	}
}

func (s *search) makesUp(u *Unit) bool {
	return s.q.Rights != nil && s.q.Rights.Lack([]*Unit{u}) < s.q.Rights.Lack(nil)
}

func (s *search) useful(i int) bool {
	for w := range s.q.Request.Wants {
		if cluster.Takes(s.rows[i].Node, &s.q.Request.Wants[w].Shape) {
			return true
		}
	}
	return false
}

// alike says whether it makes no difference which of two single pods goes.
func (s *search) alike(a, b *unit) bool {
	if len(a.Pods) != 1 || len(b.Pods) != 1 || a.Slots != nil || b.Slots != nil || a.Gang != b.Gang || a.Cost != b.Cost || !slices.Equal(a.rows, b.rows) || a.Pods[0].Budget != b.Pods[0].Budget {
		return false
	}
	p, _ := s.book.Pod(a.Pods[0].ID)
	q, _ := s.book.Pod(b.Pods[0].ID)
	return p.Request.Equal(q.Request) && slices.Equal(p.HostPorts, q.HostPorts) && p.Aligned == nil && q.Aligned == nil &&
		sameWants(a.Again.Wants, b.Again.Wants)
}

func sameWants(a, b []planner.Want) bool {
	return slices.EqualFunc(a, b, func(a, b planner.Want) bool {
		return a.Role == b.Role && a.Count == b.Count && a.Shape.Signature() == b.Shape.Signature()
	})
}

func (s *search) cost(set []int) int64 {
	sum := int64(0)
	for _, u := range set {
		sum += s.units[u].Cost
	}
	return sum
}

// allowed says whether a set may go together: it is not too large, no budget is
// exceeded, no gang goes both whole and in part, and the gang has the right.
func (s *search) allowed(set []int) bool {
	pods, gone, parts := 0, map[string]int{}, map[gang.ID]bool{} // true for whole
	for _, k := range set {
		u := s.units[k]
		if whole, goes := parts[u.Gang]; goes && (whole || u.Whole) {
			return false
		}
		parts[u.Gang] = u.Whole
		pods += len(u.Pods)
		for _, p := range u.Pods {
			if p.Budget != "" {
				if gone[p.Budget]++; gone[p.Budget] > s.q.Budgets[p.Budget] {
					return false
				}
			}
		}
	}
	return pods <= s.q.MaxPods && (s.q.Rights == nil || s.q.Rights.Allow(s.those(set)))
}

// those are the units of a set.
func (s *search) those(set []int) []*Unit {
	out := make([]*Unit, len(set))
	for i, u := range set {
		out[i] = s.units[u].Unit
	}
	return out
}

// without returns row i as it would be if a set had gone.
func (s *search) without(i int, set []int) cluster.Row {
	txn := s.book.Begin()
	txn.Evict(s.leaving[i]...)
	for _, u := range set {
		txn.Evict(s.units[u].on[i]...)
		txn.Release(s.units[u].held[i]...)
	}
	row, _ := txn.Row(s.rows[i].Node.Name)
	return row
}

// rowsOf are the rows that the pods of a set are on, ascending.
func (s *search) rowsOf(set []int) []int {
	var rows []int
	for _, u := range set {
		rows = append(rows, s.units[u].rows...)
	}
	slices.Sort(rows)
	return slices.Compact(rows)
}
