package numa

import "slices"

// merge is what the policy makes of the hints of all resources.
func (t *Topology) merge(all []hints) (hint, *Refusal) {
	best, agreed := t.agreed(all)
	switch {
	case t.Policy == SingleNUMANode && agreed && (best.count() == 1 || len(all) == 0):
		if best == t.all() {
			best = 0
		}
		return hint{mask: best, preferred: true}, nil
	case t.Policy == BestEffort && !agreed:
		return hint{mask: t.compromise(all)}, nil
	case t.Policy != SingleNUMANode && agreed:
		return hint{mask: best, preferred: true}, nil
	}
	return hint{}, t.refusal(t.lacking(all))
}

// agreed is the best of the sets of zones that every resource prefers: all of
// them where none has an opinion.
func (t *Topology) agreed(all []hints) (Mask, bool) {
	if len(all) == 0 {
		return t.all(), true
	}
	var best Mask
	for _, m := range all[0].masks {
		if preferredByAll(m, all) && (best == 0 || t.fitter(m, best)) {
			best = m
		}
	}
	return best, best != 0
}

func preferredByAll(m Mask, all []hints) bool {
	for i := range all {
		if !all[i].prefers(m) || !slices.Contains(all[i].masks, m) {
			return false
		}
	}
	return true
}

// lacking is the first resource that no zones can give as the policy wants it;
// none if each could be had, but not together.
func (t *Topology) lacking(all []hints) string {
	for i := range all {
		wanted := func(m Mask) bool {
			return all[i].prefers(m) && (t.Policy != SingleNUMANode || m.count() == 1)
		}
		if !slices.ContainsFunc(all[i].masks, wanted) {
			return all[i].resource
		}
	}
	return ""
}

// compromise is what the best-effort policy takes where not all resources get
// the zones that they prefer: of the zones that one hint of each resource have
// in common, the set that comes nearest to what the resource with the widest
// need needs. All zones, where there is nothing in common.
func (t *Topology) compromise(all []hints) Mask {
	wide := 0
	common := map[Mask]bool{t.all(): true}
	for i := range all {
		if len(all[i].masks) == 0 {
			continue
		}
		wide = max(wide, all[i].narrowest())
		met := map[Mask]bool{}
		for c := range common {
			for _, m := range all[i].masks {
				met[c&m] = true
			}
		}
		common = met
	}
	var best Mask
	for m := range common {
		if m != 0 && (best == 0 || t.nearer(m, best, wide)) {
			best = m
		}
	}
	if best == 0 {
		return t.all()
	}
	return best
}

// nearer says whether the kubelet takes m rather than o when neither is
// preferred: wide zones, else the most below that, else the fewest above.
func (t *Topology) nearer(m, o Mask, wide int) bool {
	cm, co := m.count(), o.count()
	switch {
	case cm == co:
		return t.fitter(m, o)
	case cm > wide && co > wide:
		return cm < co
	case cm <= wide && co <= wide:
		return cm > co
	}
	return cm <= wide
}
