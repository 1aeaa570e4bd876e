package report

import (
	"fmt"

	"muster.sh/muster/benchmarks/trial"
)

// streams compares streams of gangs with nothing held and with gangs that are held.
func streams(list []series) Grid {
	g := Grid{
		Title: "Gangs that are held",
		About: "A stream of gangs, a new one as soon as one of some that wait is bound, alone and beside gangs that can't start. " +
			"Repeated writes are those of the scheduler to what belongs to held gangs while others are bound, after the first to each object, events included.",
		Heads: []string{
			"scenario", "scheduler", "rounds", "pods bound/s", "spread", "× none held", "scheduler CPU", "CPU/pod", "× none held", "repeated writes", "memory",
		},
	}
	for _, s := range list {
		g.Rows = append(g.Rows, s.streamRow(list))
	}
	return g
}

func rate(r trial.Result) float64 { return r.Rate }

// podCPU is the scheduler's CPU time for each pod that was bound, in milliseconds.
func podCPU(r trial.Result) float64 { return 1000 * SchedulerCPU(r) / max(float64(r.Bound), 1) }

func (s series) streamRow(list []series) []string {
	row := s.head()
	if len(s.good) == 0 {
		return append(row, "failed", "", "", "", "", "", "", "")
	}
	free := s.unburdened(list)
	against := func(value func(trial.Result) float64) string {
		if free == nil || free.of(value).Median == 0 {
			return ratio(0)
		}
		return ratio(s.of(value).Median / free.of(value).Median)
	}
	bound := s.of(rate)
	return append(row,
		fmt.Sprintf("%.1f", bound.Median), fmt.Sprintf("%.1f–%.1f", bound.Min, bound.Max), against(rate),
		fmt.Sprintf("%.1f s", s.of(SchedulerCPU).Median), fmt.Sprintf("%.2f ms", s.of(podCPU).Median), against(podCPU),
		fmt.Sprintf("%.0f", s.of(func(r trial.Result) float64 { return float64(r.Repeats) }).Median),
		fmt.Sprintf("%.0f MiB", s.of(peakMemory).Median),
	)
}

// peakMemory is the scheduler's, in MiB.
func peakMemory(r trial.Result) float64 { return float64(r.Scheduler.PeakMemory >> 20) }

// unburdened is the same with nothing held; nil if there is none.
func (s series) unburdened(list []series) *series {
	if s.scenario.Held == 0 {
		return nil
	}
	want := s.scenario.Holding(0)
	for i, other := range list {
		if other.scenario == want && other.contender == s.contender && len(other.good) > 0 {
			return &list[i]
		}
	}
	return nil
}
