package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/duration"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

func newStatus(c *caller) *cobra.Command {
	return &cobra.Command{
		Use: "status NAME", Short: "Show a job, its pods, and why it waits", Args: cobra.ExactArgs(1),
		Example: "  muster status pi\n  muster status tf/train",
		RunE: func(cmd *cobra.Command, args []string) error {
			on, j, pods, err := c.open(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return on.showStatus(cmd.Context(), cmd.OutOrStdout(), j, pods)
		},
	}
}

func (c *cluster) showStatus(ctx context.Context, out io.Writer, j *job, pods []corev1.Pod) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%s\t%s\n", j.kind.api, j.object.GetName())
	fmt.Fprintf(w, "Namespace\t%s\nQueue\t%s\nState\t%s\n", j.object.GetNamespace(), orDash(j.queue), j.state)
	if j.reason != "" {
		fmt.Fprintf(w, "Reason\t%s\n", j.reason)
	}
	if j.progress != "" {
		fmt.Fprintf(w, "Progress\t%s\n", short(j.progress))
	}
	if why := waitsFor(pods); why != "" && !j.ended {
		fmt.Fprintf(w, "Waits\t%s\n", why)
	}
	fmt.Fprintf(w, "Age\t%s\n", duration.HumanDuration(j.age()))
	if err := w.Flush(); err != nil {
		return err
	}
	if len(pods) > 0 {
		fmt.Fprintln(w, "\nROLE\tPOD\tPHASE\tNODE\tAGE")
	}
	for i := range pods {
		p := &pods[i]
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", j.kind.role(p), p.Name, p.Status.Phase, orDash(p.Spec.NodeName), duration.HumanDuration(time.Since(p.CreationTimestamp.Time)))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return c.showEvents(ctx, w, j, pods)
}

// maxEvents is how many are shown, the latest.
const maxEvents = 10

// showEvents prints what was told of a job and of its pods.
func (c *cluster) showEvents(ctx context.Context, w *tabwriter.Writer, j *job, pods []corev1.Pod) error {
	objects := []client.Object{j.object}
	for i := range pods {
		objects = append(objects, &pods[i])
	}
	var list corev1.EventList
	if err := c.List(ctx, &list, client.InNamespace(j.object.GetNamespace())); err != nil {
		return fmt.Errorf("events: %w", err)
	}
	told := slices.DeleteFunc(list.Items, func(e corev1.Event) bool {
		return !slices.ContainsFunc(objects, func(o client.Object) bool { return o.GetUID() == e.InvolvedObject.UID })
	})
	slices.SortFunc(told, func(a, b corev1.Event) int { return at(&a).Compare(at(&b)) })
	told = told[max(0, len(told)-maxEvents):]
	if len(told) > 0 {
		fmt.Fprintln(w, "\nWHEN\tWHAT\tOBJECT\tMESSAGE")
	}
	for i := range told {
		e := &told[i]
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", duration.HumanDuration(time.Since(at(e))), e.Reason, e.InvolvedObject.Name, short(e.Message))
	}
	return w.Flush()
}

// at is when an event was last seen.
func at(e *corev1.Event) time.Time {
	if e.Series != nil {
		return e.Series.LastObservedTime.Time
	}
	return cmp.Or(e.LastTimestamp.Time, e.EventTime.Time, e.CreationTimestamp.Time)
}
