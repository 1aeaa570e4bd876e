package planner

import "muster.sh/muster/scheduler/resource"

// How empty a row is, is told in levels: of devices first, for they are what is
// scarce and what makes a node worth keeping free, then of the rest.
const (
	deviceLevels = 16
	otherLevels  = 128
	levels       = (deviceLevels + 1) * (otherLevels + 1)
)

// emptiness is how empty row i is for a member of want w, below levels. Of the
// devices that it asks for, or of all where it asks for none, the kind counts of
// which the largest part is free; then CPU or memory, whichever is freer.
func (p *plan) emptiness(w, i int) int {
	free, all := p.free(i), &p.view.Rows[i].Node.Allocatable
	devices := int64(0)
	if len(all.Extra) > 0 {
		devices = freeDevices(free, all, p.wants[w].Shape.Request.Extra)
	}
	rest := max(part(free.MilliCPU, all.MilliCPU, otherLevels), part(free.Memory, all.Memory, otherLevels))
	return int(devices*(otherLevels+1) + rest)
}

// freeDevices is the part that is free of devices: of those asked for if there are
// any, else of all.
func freeDevices(free, all *resource.Vector, asked []resource.Amount) int64 {
	most, asks := int64(0), false
	for _, a := range asked {
		if resource.IsDevice(a.Name) {
			most, asks = max(most, part(free.Get(a.Name), all.Get(a.Name), deviceLevels)), true
		}
	}
	if asks {
		return most
	}
	for _, a := range all.Extra {
		if resource.IsDevice(a.Name) {
			most = max(most, part(free.Get(a.Name), a.Value, deviceLevels))
		}
	}
	return most
}

// part is how much is free, from 0 to full.
func part(free, all, full int64) int64 {
	if all <= 0 || free <= 0 {
		return 0
	}
	return min(free*full/all, full)
}
