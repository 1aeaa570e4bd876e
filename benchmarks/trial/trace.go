package trial

import (
	"slices"
	"time"

	"muster.sh/muster/benchmarks/audit"
	"muster.sh/muster/benchmarks/scenario"
)

// Replay is what came of the trace of a cluster.
type Replay struct {
	// All are the waits of all gangs, and Large those of gangs that need several nodes.
	All   Waits `json:"all"`
	Large Waits `json:"large"`
	// Finished is how many gangs have done all of their work.
	Finished int `json:"finished"`
	// Utilisation is the part of all GPUs that pods had, until the last gang came.
	Utilisation float64 `json:"utilisation"`
	// Makespan is when the last gang ended that did, in seconds.
	Makespan float64 `json:"makespan"`
}

// Waits are how long gangs waited from when all of their pods existed until all were bound,
// in seconds. A gang that never started has waited until the end.
type Waits struct {
	Gangs   int     `json:"gangs"`
	Started int     `json:"started"`
	Mean    float64 `json:"mean"`
	Distribution
}

// judgeReplay tells how gangs of a trace fared.
func (m *measured) judgeReplay(tl *audit.Timeline, gangs []audit.Gang) {
	arrivals := map[string]scenario.Arrival{}
	var last time.Duration
	for _, a := range m.Scenario.Arrivals() {
		arrivals[a.Name] = a
		last = max(last, a.At)
	}
	r := &Replay{Utilisation: audit.Utilisation(tl, scenario.GPU, audit.Span{From: m.began, Until: m.began.Add(last)})}
	var all, large []audit.GangTimes
	for _, t := range audit.Times(gangs) {
		if len(t.Gang.Members) == t.Gang.Min && !slices.ContainsFunc(t.Gang.Members, hasNotSucceeded) {
			r.Finished++
		}
		if !t.Ended.IsZero() {
			r.Makespan = max(r.Makespan, t.Ended.Sub(m.began).Seconds())
		}
		all = append(all, t)
		if arrivals[t.Gang.Name].Large() {
			large = append(large, t)
		}
	}
	r.All, r.Large = waits(all, tl.End), waits(large, tl.End)
	m.result.Replay = r
}

// waits are those of gangs of which nothing is known after the end.
func waits(gangs []audit.GangTimes, end time.Time) Waits {
	w := Waits{Gangs: len(gangs)}
	var seconds []float64
	sum := 0.0
	for _, t := range gangs {
		if t.Whole.IsZero() {
			continue // the run was broken off before all of its pods existed
		}
		until := end
		if !t.MinBound.IsZero() {
			w.Started++
			until = t.MinBound
		}
		wait := max(until.Sub(t.Whole), 0).Seconds()
		seconds, sum = append(seconds, wait), sum+wait
	}
	if len(seconds) > 0 {
		slices.Sort(seconds)
		w.Mean, w.Distribution = sum/float64(len(seconds)), distribution(seconds)
	}
	return w
}
