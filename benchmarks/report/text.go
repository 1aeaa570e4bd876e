package report

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"muster.sh/muster/benchmarks/scenario"
	"muster.sh/muster/benchmarks/trial"
)

// File is the report in the folder of the results, as JSON.
const File = "report.json"

// Line says in a few words what a run has come to.
func Line(r trial.Result) string {
	var b strings.Builder
	switch {
	case r.Failed != "":
		fmt.Fprintf(&b, "FAILED: %s", r.Failed)
	case r.Scenario.Mode == scenario.Loop:
		fmt.Fprintf(&b, "%.1f s, %.0f µs loop CPU and %.0f µs process CPU per pod", r.Span, r.LoopCPU, r.ProcessCPU)
	case r.Scenario.Mode == scenario.Stream:
		fmt.Fprintf(&b, "%.1f pods bound a second, %.1f s scheduler CPU, %d repeated writes", r.Rate, SchedulerCPU(r), r.Repeats)
	case r.Scenario.Mode == scenario.Restart:
		fmt.Fprintf(&b, "ready after %.1f s, first bind after %.1f s, %.0f MiB", r.Ready, firstBind(r), peakMemory(r))
	case r.Contest != nil:
		c := r.Contest
		fmt.Fprintf(&b, "%d of %d awaited gangs started, after %.1f s at most; %.0f %% used, %.0f pod-seconds evicted",
			c.Started, c.Awaited, c.Waited.Max, 100*c.Utilisation, c.EvictedS)
	case r.Replay != nil:
		p := r.Replay
		fmt.Fprintf(&b, "gangs waited %.1f s on average, %.1f s at p99; %.0f %% of GPUs used, %d of %d gangs finished",
			p.All.Mean, p.All.P99, 100*p.Utilisation, p.Finished, p.All.Gangs)
	default:
		fmt.Fprintf(&b, "%.1f s, %.2f ms scheduler CPU per pod", r.Span, 1000*SchedulerCPU(r)/float64(r.Scenario.Pods()))
	}
	if r.Scenario.Mode == scenario.Burst {
		fmt.Fprintf(&b, ", %d of %d applications finished, %.0f gang-seconds stranded", r.Finished, r.Scenario.Gangs, r.StrandedGangS)
	}
	if len(r.Faults) > 0 {
		fmt.Fprintf(&b, ", %d faults", len(r.Faults))
	}
	if r.Unfit != "" {
		fmt.Fprintf(&b, " (busy machine: %s)", r.Unfit)
	}
	return b.String()
}

// Render prints the tables.
func (r Report) Render(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, t := range r.Tables {
		fmt.Fprintf(w, "\n%s on %d nodes\n", t.Scenario.Name, t.Scenario.Nodes)
		fmt.Fprintln(w, "scheduler\tlast bind\tspread\t× floor\t× best peer\tgang p50\tgang p99\tCPU/pod\tcluster CPU/pod\tmemory\twrites/gang\tevents/gang\tfaults")
		for _, row := range t.Rows {
			fmt.Fprintln(w, strings.Join(row.cells(), "\t"))
		}
		for _, row := range t.Rows {
			for _, why := range row.Failed {
				fmt.Fprintf(w, "%s failed, %s\n", row.Contender, why)
			}
			if row.Unfit > 0 {
				fmt.Fprintf(w, "%s: %d of %d rounds on a busy machine\n", row.Contender, row.Unfit, row.Rounds)
			}
		}
	}
	r.renderLoops(w)
	for _, g := range r.Grids {
		g.render(w)
	}
	return w.Flush()
}

func (r Report) renderLoops(w io.Writer) {
	if len(r.Loops) == 0 {
		return
	}
	fmt.Fprintf(w, "\nMuster's loop alone\n%s\n", strings.Join(loopHeads, "\t"))
	for _, row := range r.Loops {
		fmt.Fprintln(w, strings.Join(row.Cells(), "\t"))
	}
	for _, row := range r.Loops {
		for _, why := range row.Failed {
			fmt.Fprintf(w, "%s failed, %s\n", row.Scenario.Name, why)
		}
		if row.Unfit > 0 {
			fmt.Fprintf(w, "%s: %d of %d rounds on a busy machine\n", row.Scenario.Name, row.Unfit, row.Rounds)
		}
	}
}

func (r Row) cells() []string {
	faults := r.Stranded + r.OverCommit + r.StolenRoom
	if r.Span.Median == 0 {
		return []string{r.Contender, "failed", "", "", "", "", "", "", "", "", "", "", fmt.Sprint(faults)}
	}
	return []string{
		r.Contender, fmt.Sprintf("%.2f s", r.Span.Median), fmt.Sprintf("%.2f–%.2f", r.Span.Min, r.Span.Max),
		ratio(r.Floor), ratio(r.Peer), fmt.Sprintf("%.2f s", r.GangP50), fmt.Sprintf("%.2f s", r.GangP99),
		fmt.Sprintf("%.2f ms", r.SchedulerCPU), fmt.Sprintf("%.2f ms", r.ClusterCPU), fmt.Sprintf("%d MiB", r.PeakMemory>>20),
		fmt.Sprintf("%.1f", r.Writes), fmt.Sprintf("%.1f", r.Events), fmt.Sprint(faults),
	}
}

func ratio(r float64) string {
	if r == 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f", r)
}

// Write keeps the report beside the results.
func (r Report) Write(dir string) error {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return os.WriteFile(filepath.Join(dir, File), append(data, '\n'), 0o644)
}
