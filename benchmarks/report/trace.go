package report

import (
	"cmp"
	"fmt"
	"slices"

	"muster.sh/muster/benchmarks/trial"
)

// replays compares how gangs of a real cluster fared.
func replays(list []series) Grid {
	g := Grid{
		Title: "Traces of real clusters",
		About: "Gangs come as the training jobs of a cluster did, six weeks at once and thousands of times as fast, on nodes with eight GPUs each. " +
			"A gang waits from when all of its pods exist until all are bound; one that never starts waits until the end. Large gangs need several " +
			"nodes. How much of all GPUs was in use, and how much is asked for, is counted until the last gang comes. In scenarios whose names begin " +
			"with trace-declared gangs say how long they run, and only those take part who read it.",
		Heads: []string{
			"scenario", "scheduler", "rounds", "GPUs asked for", "wait: mean", "p50", "p99", "of large gangs: mean", "p99", "GPUs used", "last end",
			"gang-seconds stranded", "finished gangs", "scheduler CPU",
		},
	}
	// The same jobs stand together, whether they say how long they run or not.
	slices.SortStableFunc(list, func(a, b series) int {
		return cmp.Or(cmp.Compare(a.scenario.Nodes, b.scenario.Nodes), cmp.Compare(a.scenario.Cluster(), b.scenario.Cluster()),
			-cmp.Compare(a.scenario.Name, b.scenario.Name))
	})
	for _, s := range list {
		g.Rows = append(g.Rows, s.replayRow())
	}
	return g
}

func (s series) replayRow() []string {
	row := append(s.head(), fmt.Sprintf("%.0f %%", 100*s.scenario.Offered()))
	if len(s.good) == 0 {
		return append(row, "failed", "", "", "", "", "", "", "", "", "")
	}
	of := func(value func(*trial.Replay) float64) float64 {
		return s.of(func(r trial.Result) float64 { return value(r.Replay) }).Median
	}
	seconds := func(value func(*trial.Replay) float64) string { return fmt.Sprintf("%.1f s", of(value)) }
	return append(row,
		seconds(func(r *trial.Replay) float64 { return r.All.Mean }), seconds(func(r *trial.Replay) float64 { return r.All.P50 }),
		seconds(func(r *trial.Replay) float64 { return r.All.P99 }),
		seconds(func(r *trial.Replay) float64 { return r.Large.Mean }), seconds(func(r *trial.Replay) float64 { return r.Large.P99 }),
		fmt.Sprintf("%.0f %%", 100*of(func(r *trial.Replay) float64 { return r.Utilisation })),
		seconds(func(r *trial.Replay) float64 { return r.Makespan }),
		fmt.Sprintf("%.1f", s.of(func(r trial.Result) float64 { return r.StrandedGangS }).Median),
		fmt.Sprintf("%.0f of %d", of(func(r *trial.Replay) float64 { return float64(r.Finished) }), s.good[0].Replay.All.Gangs),
		fmt.Sprintf("%.1f s", s.of(SchedulerCPU).Median),
	)
}
