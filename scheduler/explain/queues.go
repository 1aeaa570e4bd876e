package explain

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/queue"
	"muster.sh/muster/scheduler/resource"
)

// Queues writes one line a queue, those of one parent under it.
func Queues(w io.Writer, records []core.QueueRecord) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "QUEUE\tSHARE\tWAITING\tUSED\tBORROWED\tENTITLED\tGUARANTEED\tCAPABILITY\tSTATE")
	below(t, records, "", 0)
	return t.Flush()
}

// below writes the queues of one parent, each with those below it.
func below(w io.Writer, records []core.QueueRecord, parent string, depth int) {
	for _, r := range records {
		if r.Parent != parent {
			continue
		}
		fmt.Fprintf(w, "%s%s\t%.2f\t%d\t%s\t%s\t%s\t%s\t%s\t%s\n", strings.Repeat("  ", depth), r.Name, r.Share, r.Waiting,
			amounts(r.Used), amounts(r.Borrowed), amounts(r.Entitled), amounts(r.Guaranteed), limits(r.Capability), state(&r))
		below(w, records, r.Name, depth+1)
	}
}

// amounts leaves out what every node has plenty of.
func amounts(v resource.Vector) string {
	v.Pods, v.Storage = 0, 0
	if v.IsZero() {
		return "-"
	}
	return v.String()
}

func limits(l queue.Limits) string {
	if len(l) == 0 {
		return "-"
	}
	parts := make([]string, len(l))
	for i, a := range l {
		parts[i] = a.Name + "=" + resource.Format(a.Name, a.Value)
	}
	return strings.Join(parts, " ")
}

func state(r *core.QueueRecord) string {
	switch {
	case r.Problem != "":
		return "refused: " + r.Problem
	case r.Closed:
		return "closed"
	}
	return "open"
}
