package victims

import (
	"slices"

	"muster.sh/muster/scheduler/cluster"
	"muster.sh/muster/scheduler/ledger"
	"muster.sh/muster/scheduler/planner"
)

// missing is what a set of units lacks.
type missing struct {
	// want is the first want for which there is no room, and members how many of it
	// have none.
	want, members int
	// unit is a unit of the set that fits nowhere again.
	unit int
	// quota that the gang lacks, as Rights count it.
	quota float64
}

var nothing = missing{want: -1, unit: -1}

// prove finds out whether the gang has the quota and fits once a set has gone, and then
// the set again.
func (s *search) prove(set []int) ([]planner.Share, missing) {
	if lack := s.lack(set); lack > 0 {
		return nil, missing{want: -1, unit: -1, quota: lack}
	}
	rows, m := s.suppose(set)
	if m != nothing {
		return nil, m
	}
	shares, m := s.plan(rows)
	if m != nothing {
		return nil, m
	}
	return shares, s.again(set, shares)
}

// lack is the quota that the gang lacks once a set has gone.
func (s *search) lack(set []int) float64 {
	if s.q.Rights == nil {
		return 0
	}
	return s.q.Rights.Lack(s.those(set))
}

// supposed is a row as it would be.
type supposed struct {
	at  int
	row cluster.Row
}

// suppose returns the rows that a set has left. It tells at once where, of some want,
// fewer members fit one by one than are to be placed.
func (s *search) suppose(set []int) ([]supposed, missing) {
	rows, total := []supposed{}, slices.Clone(s.total)
	for _, i := range s.rowsOf(set) {
		row := s.without(i, set)
		rows = append(rows, supposed{i, row})
		for w := range total {
			total[w] += s.times(w, i, row) - s.fit[w][i]
		}
	}
	for w := range total {
		if lack := s.q.Request.Wants[w].Count - total[w]; lack > 0 {
			return rows, missing{want: w, members: lack, unit: -1}
		}
	}
	return rows, nothing
}

// plan plans the gang with some rows as they would be.
func (s *search) plan(rows []supposed) ([]planner.Share, missing) {
	for k, r := range rows {
		rows[k].row, s.rows[r.at] = s.rows[r.at], r.row
	}
	shares, v := planner.Plan(cluster.View{Rows: s.rows}, s.q.Request)
	for _, r := range rows {
		s.rows[r.at] = r.row
	}
	if v.Code == "" {
		return shares, nothing
	}
	w := slices.IndexFunc(s.q.Request.Wants, func(w planner.Want) bool { return w.Role == v.Role && w.Count == v.Wanted })
	return nil, missing{want: max(w, 0), members: max(v.Wanted-v.Placed, 1), unit: -1}
}

// again places a set again, beside the gang.
func (s *search) again(set []int, shares []planner.Share) missing {
	txn := s.book.Begin()
	txn.Evict(s.q.Leaving...)
	for _, u := range set {
		for _, i := range s.units[u].rows {
			txn.Evict(s.units[u].on[i]...)
			txn.Release(s.units[u].held[i]...)
		}
	}
	hold(txn, s.q.Request.Wants, shares)
	for _, u := range set {
		r := s.units[u].Again
		if len(r.Wants) == 0 {
			continue
		}
		shares, v := planner.Plan(txn.View(), r)
		if v.Code != "" {
			return missing{want: -1, unit: u}
		}
		hold(txn, r.Wants, shares)
	}
	return nothing
}

func hold(txn *ledger.Txn, wants []planner.Want, shares []planner.Share) {
	for _, share := range shares {
		for range share.Count {
			txn.Hold(ledger.Slot{Role: wants[share.Want].Role, Node: share.Node, Shape: wants[share.Want].Shape})
		}
	}
}
