package report

import (
	"fmt"

	"muster.sh/muster/benchmarks/trial"
)

// restarts compares how soon schedulers work again that were killed.
func restarts(list []series) Grid {
	g := Grid{
		Title: "Killed and started again",
		About: "The scheduler is killed while gangs run that it knows; others come while it is down, and then it is started. It is ready when it " +
			"has read what exists, as it says itself on /readyz. All times but the one from there to the first bind are from its start.",
		Heads: []string{
			"scenario", "scheduler", "rounds", "ready", "from ready to first bind", "its CPU time", "first bind", "last bind", "memory", "CPU for all",
		},
	}
	for _, s := range list {
		g.Rows = append(g.Rows, s.restartRow())
	}
	return g
}

func (s series) restartRow() []string {
	row := s.head()
	if len(s.good) == 0 {
		return append(row, "failed", "", "", "", "", "", "")
	}
	seconds := func(value func(trial.Result) float64) string { return fmt.Sprintf("%.1f s", s.of(value).Median) }
	return append(row,
		seconds(func(r trial.Result) float64 { return r.Ready }),
		seconds(func(r trial.Result) float64 { return firstBind(r) - r.Ready }),
		seconds(func(r trial.Result) float64 { return (r.FirstCPU - r.ReadyCPU).Seconds() }),
		seconds(firstBind), seconds(func(r trial.Result) float64 { return r.Span }),
		fmt.Sprintf("%.0f MiB", s.of(peakMemory).Median),
		seconds(func(r trial.Result) float64 { return r.Scheduler.CPU.Seconds() }),
	)
}

// firstBind is when the first pod was bound.
func firstBind(r trial.Result) float64 {
	if len(r.Binds) == 0 {
		return 0
	}
	return r.Binds[0]
}
