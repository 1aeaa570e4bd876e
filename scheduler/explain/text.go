// Package explain shows what the scheduler has decided of each gang, and why,
// as text and over HTTP. It decides nothing.
package explain

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"muster.sh/muster/scheduler/core"
)

// List writes one line a gang. Ages are counted from created to now.
func List(w io.Writer, records []core.Record, now time.Time) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "GANG\tPHASE\tBOUND\tPLACE\tAGE\tREASON")
	for _, r := range records {
		place := "-"
		if r.Position > 0 {
			place = fmt.Sprint(r.Position)
		}
		fmt.Fprintf(t, "%s\t%s\t%d/%d\t%s\t%s\t%s\n", r.Gang, r.Phase, r.Bound, r.Min, place, age(r.Created, now), r.Verdict)
	}
	return t.Flush()
}

// Detail writes all that is known of one gang.
func Detail(w io.Writer, r core.Record, now time.Time) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "Gang:\t%s\n", r.Gang)
	fmt.Fprintf(t, "Owner:\t%s %s/%s\n", r.Owner.Kind, r.Owner.Namespace, r.Owner.Name)
	fmt.Fprintf(t, "Phase:\t%s\n", r.Phase)
	fmt.Fprintf(t, "Bound:\t%d of a minimum of %d\n", r.Bound, r.Min)
	fmt.Fprintf(t, "Age:\t%s\n", age(r.Created, now))
	fmt.Fprintf(t, "Queue:\t%s\n", r.Queue)
	if r.Position > 0 {
		fmt.Fprintf(t, "Place in the queue:\t%d\n", r.Position)
	}
	fmt.Fprintf(t, "Reason:\t%s\n", r.Verdict)
	if r.Start != nil {
		fmt.Fprintf(t, "Start:\t%s\n", startText(r.Start))
	}
	if !r.Ends.IsZero() {
		fmt.Fprintf(t, "Ends:\texpected at %s\n", r.Ends.Format(time.RFC3339))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	return slots(w, r.Slots)
}

func startText(s *core.Start) string {
	text := "unknown: " + s.Unknown
	if !s.At.IsZero() {
		text = fmt.Sprintf("at %s at the latest, on %d nodes", s.At.Format(time.RFC3339), s.Nodes)
	}
	if s.Moved != "" {
		text += "; it was earlier, but " + s.Moved
	}
	return text
}

func slots(w io.Writer, list []core.SlotRecord) error {
	if len(list) == 0 {
		return nil
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "\nROLE\tNODE\tPOD\tROOM")
	for _, s := range list {
		pod, role := s.Pod, s.Role
		if pod == "" {
			pod = "(expected)"
		}
		if s.Elastic {
			role += " (elastic)"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", strings.TrimSpace(role), s.Node, pod, s.Request)
	}
	return t.Flush()
}

func age(since, now time.Time) string {
	if since.IsZero() {
		return "-"
	}
	return now.Sub(since).Truncate(time.Second).String()
}
