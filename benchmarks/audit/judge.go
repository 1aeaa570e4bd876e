package audit

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// Case is what to judge a log by.
type Case struct {
	Gangs        []Gang
	Reservations []Reservation
	Options      Options
}

// Verdict is what all auditors found.
type Verdict struct {
	Findings []Finding // by time
	Times    []GangTimes
	Writes   WriteCounts
	Pods     int // that were bound
	Gaps     []string
}

// Judge runs every auditor.
func Judge(log *Log, tl *Timeline, c Case) *Verdict {
	v := &Verdict{Times: Times(c.Gangs), Writes: Writes(log), Gaps: tl.Gaps}
	v.Findings = append(v.Findings, StrandedGangs(tl, c.Gangs, c.Options)...)
	v.Findings = append(v.Findings, OverCommit(tl)...)
	v.Findings = append(v.Findings, StolenRoom(tl, c.Reservations)...)
	sortFindings(v.Findings)
	for _, pod := range tl.Pods {
		if pod.Bound.Known() {
			v.Pods++
		}
	}
	return v
}

// Faults are the findings that whoever bound the pods must answer for.
func (v *Verdict) Faults() []Finding {
	return slices.DeleteFunc(slices.Clone(v.Findings), func(f Finding) bool { return f.Kind == Overdrawn })
}

// Err is nil if there is no fault and nothing was missing to judge by; else it
// names the first of each, and how many there are.
func (v *Verdict) Err() error {
	if faults := v.Faults(); len(faults) > 0 {
		return fmt.Errorf("audit: %d faults, the first: %s: %s %s", len(faults), faults[0].Kind, faults[0].Object, faults[0].Detail)
	}
	if len(v.Gaps) > 0 {
		return fmt.Errorf("audit: the log doesn't tell everything: %s", strings.Join(v.Gaps, "; "))
	}
	return nil
}

// What Render shows at most; it says how many more there are.
const (
	shownFindings = 20
	shownWrites   = 8
)

// Render writes the verdict as a short text.
func (v *Verdict) Render(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	v.renderSummary(table)
	v.renderWrites(table)
	for _, gap := range v.Gaps {
		fmt.Fprintf(table, "not judged: %s\n", gap)
	}
	for i, f := range v.Findings {
		if i == shownFindings {
			fmt.Fprintf(table, "and %d more findings\n", len(v.Findings)-i)
			break
		}
		fmt.Fprintf(table, "%s %s: %s: %s%s\n", f.At.UTC().Format(clock), f.Kind, f.Object, f.Detail, lasted(f))
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("render verdict: %w", err)
	}
	return nil
}

func lasted(f Finding) string {
	if d := f.Lasted(); d > 0 {
		return fmt.Sprintf(" (for %s)", d.Round(time.Millisecond))
	}
	return ""
}

func (v *Verdict) renderSummary(w io.Writer) {
	started := 0
	var latencies, spreads []time.Duration
	for _, t := range v.Times {
		if latency, ok := t.StartLatency(); ok {
			started++
			latencies = append(latencies, latency)
		}
		if spread, ok := t.Spread(); ok {
			spreads = append(spreads, spread)
		}
	}
	stranded := v.Of(Stranded)
	fmt.Fprintf(w, "pods bound\t%d\n", v.Pods)
	fmt.Fprintf(w, "gangs started\t%d of %d\n", started, len(v.Times))
	if started > 0 {
		fmt.Fprintf(w, "start latency\t%s\n", distribution(latencies))
		fmt.Fprintf(w, "first to last bind\t%s\n", distribution(spreads))
	}
	fmt.Fprintf(w, "stranded gangs\t%d, %.1f gang-seconds\n", distinct(stranded), Lasted(stranded).Seconds())
	fmt.Fprintf(w, "over-committed nodes\t%d\n", distinct(v.Of(OverCommitted)))
	fmt.Fprintf(w, "binds on reserved room\t%d\n", len(v.Of(Stolen)))
	if overdrawn := v.Of(Overdrawn); len(overdrawn) > 0 {
		fmt.Fprintf(w, "nodes that shrank under their pods\t%d\n", distinct(overdrawn))
	}
}

// Of returns the findings of one kind.
func (v *Verdict) Of(kind Kind) []Finding {
	return slices.DeleteFunc(slices.Clone(v.Findings), func(f Finding) bool { return f.Kind != kind })
}

func distinct(findings []Finding) int {
	objects := map[string]bool{}
	for _, f := range findings {
		objects[f.Object] = true
	}
	return len(objects)
}

func distribution(values []time.Duration) string {
	slices.Sort(values)
	at := func(quantile float64) time.Duration {
		return values[int(quantile*float64(len(values)-1)+0.5)].Round(time.Millisecond)
	}
	return fmt.Sprintf("p50 %s, p99 %s, max %s", at(0.5), at(0.99), at(1))
}

func (v *Verdict) renderWrites(w io.Writer) {
	for _, part := range []struct {
		name   string
		counts Counts
	}{{"writes", v.Writes.All}, {"events", v.Writes.Events}} {
		sum := part.counts.Sum(nil)
		fmt.Fprintf(w, "%s\t%d, %d refused\n", part.name, sum.Done+sum.Failed, sum.Failed)
		kinds := part.counts.sorted()
		for i, write := range kinds {
			if i == shownWrites {
				fmt.Fprintf(w, "  and %d rarer kinds\n", len(kinds)-i)
				break
			}
			count := part.counts[write]
			fmt.Fprintf(w, "  %s %s\t%d\t%s as %s\n", write.Verb, write.Resource, count.Done+count.Failed, write.Agent, write.User)
		}
	}
}
