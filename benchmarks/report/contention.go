package report

import (
	"fmt"
	"slices"

	"muster.sh/muster/benchmarks/contender"
	"muster.sh/muster/benchmarks/scenario"
	"muster.sh/muster/benchmarks/trial"
)

// contests compares what schedulers make of a cluster that is too small for all.
func contests(list []series) Grid {
	g := Grid{
		Title: "Contention",
		About: "Gangs come at fixed moments to a cluster that has no room for all. The awaited ones are the large gang, the highest priority, " +
			"and the tenant who takes back what is its own: how long each waited for its start. How much of all CPUs was in use is counted over the " +
			"time of the scenario. What is evicted doesn't come back, and what it had done is lost.",
		Heads: []string{
			"scenario", "scheduler", "rounds", "awaited: started", "p50", "last", "CPUs used", "evicted pods", "pod-seconds lost",
			"gang-seconds stranded", "finished gangs", "scheduler CPU",
		},
	}
	for i, s := range list {
		g.Rows = append(g.Rows, s.contestRow())
		if i+1 == len(list) || list[i+1].scenario != s.scenario {
			g.Rows = append(g.Rows, unable(s.scenario, list)...)
		}
	}
	return g
}

func (s series) contestRow() []string {
	row := s.head()
	if len(s.good) == 0 {
		return append(row, "failed", "", "", "", "", "", "", "", "")
	}
	of := func(value func(*trial.Contest) float64) float64 {
		return s.of(func(r trial.Result) float64 { return value(r.Contest) }).Median
	}
	seconds := func(value func(*trial.Contest) float64) string { return fmt.Sprintf("%.1f s", of(value)) }
	c := s.good[0].Contest
	return append(row,
		fmt.Sprintf("%.0f of %d", of(func(c *trial.Contest) float64 { return float64(c.Started) }), c.Awaited),
		seconds(func(c *trial.Contest) float64 { return c.Waited.P50 }), seconds(func(c *trial.Contest) float64 { return c.Waited.Max }),
		fmt.Sprintf("%.0f %%", 100*of(func(c *trial.Contest) float64 { return c.Utilisation })),
		fmt.Sprintf("%.0f", of(func(c *trial.Contest) float64 { return float64(c.EvictedPods) })),
		fmt.Sprintf("%.0f", of(func(c *trial.Contest) float64 { return c.EvictedS })),
		fmt.Sprintf("%.1f", s.of(func(r trial.Result) float64 { return r.StrandedGangS }).Median),
		fmt.Sprintf("%.0f of %d", of(func(c *trial.Contest) float64 { return float64(c.Finished) }), c.Gangs),
		fmt.Sprintf("%.1f s", s.of(SchedulerCPU).Median),
	)
}

// unable has a row for each scheduler that took part in contention, but can't in this
// scenario.
func unable(s scenario.Scenario, list []series) [][]string {
	var rows [][]string
	for _, c := range contender.All(contender.Folders{}) {
		tookPart := slices.ContainsFunc(list, func(other series) bool { return other.contender == c.Name })
		if tookPart && !c.Does(s) {
			head := series{scenario: s, contender: c.Name}.head()
			rows = append(rows, append(head, "has no queues of tenants", "", "", "", "", "", "", "", ""))
		}
	}
	return rows
}
