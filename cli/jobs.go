package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/duration"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

func newJobs(c *caller) *cobra.Command {
	all := false
	cmd := &cobra.Command{
		Use: "jobs", Short: "List jobs of all kinds", Args: cobra.NoArgs,
		Example: "  muster jobs\n  muster jobs -A",
		RunE: func(cmd *cobra.Command, _ []string) error {
			on, err := c.connect()
			if err != nil {
				return err
			}
			if all {
				on.namespace = ""
			}
			return on.showJobs(cmd.Context(), cmd.OutOrStdout())
		},
	}
	cmd.Flags().BoolVarP(&all, "all-namespaces", "A", false, "of all namespaces")
	return cmd
}

// showJobs prints a table, the youngest jobs last.
func (c *cluster) showJobs(ctx context.Context, out io.Writer) error {
	jobs, err := c.jobsIn(ctx, c.namespace)
	if err != nil {
		return err
	}
	pods := map[client.ObjectKey]map[string][]corev1.Pod{} // by job and kind
	for _, k := range kinds {
		var list corev1.PodList
		if err := c.List(ctx, &list, client.InNamespace(c.namespace), client.HasLabels{k.labelled}); err != nil {
			return err
		}
		for _, p := range list.Items {
			key := client.ObjectKey{Namespace: p.Namespace, Name: p.Labels[k.labelled]}
			if pods[key] == nil {
				pods[key] = map[string][]corev1.Pod{}
			}
			pods[key][k.name] = append(pods[key][k.name], p)
		}
	}
	slices.SortFunc(jobs, func(a, b job) int {
		at, bt := a.object.GetCreationTimestamp(), b.object.GetCreationTimestamp()
		return at.Compare(bt.Time)
	})
	if len(jobs) == 0 {
		fmt.Fprintln(out, "there are no jobs")
		return nil
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, strings.Join(c.headings(), "\t"))
	for i := range jobs {
		j := &jobs[i]
		fmt.Fprintln(w, strings.Join(c.row(j, pods[client.ObjectKeyFromObject(j.object)][j.kind.name]), "\t"))
	}
	return w.Flush()
}

func (c *cluster) headings() []string {
	h := []string{"JOB", "QUEUE", "STATE", "PODS", "AGE", "REASON"}
	if c.namespace == "" {
		h = slices.Insert(h, 0, "NAMESPACE")
	}
	return h
}

func (c *cluster) row(j *job, pods []corev1.Pod) []string {
	reason := j.reason
	if !j.ended && reason == "" {
		reason = waitsFor(pods)
	}
	row := []string{
		j.name(), orDash(j.queue), j.state, fmt.Sprintf("%d/%d", running(pods), max(j.wanted, len(pods))),
		duration.HumanDuration(j.age()), orDash(short(reason)),
	}
	if j.ended {
		row[3] = "-"
	}
	if c.namespace == "" {
		row = slices.Insert(row, 0, j.object.GetNamespace())
	}
	return row
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// short is the first line of a text, if it is not too long.
func short(s string) string {
	const most = 120
	s, _, _ = strings.Cut(strings.TrimSpace(s), "\n")
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
