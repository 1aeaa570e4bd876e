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
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/duration"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

func newJobs(c *caller) *cobra.Command {
	all, watch, how := false, false, ""
	cmd := &cobra.Command{
		Use: "jobs", Short: "List jobs of all kinds", Args: cobra.NoArgs,
		Example: "  muster jobs\n  muster jobs -A -o wide\n  muster jobs --watch",
		RunE: func(cmd *cobra.Command, _ []string) error {
			on, err := c.connect()
			if err != nil {
				return err
			}
			if all {
				on.namespace = ""
			}
			if watch {
				return on.watchJobs(cmd.Context(), cmd.OutOrStdout(), how)
			}
			return on.showJobs(cmd.Context(), cmd.OutOrStdout(), how)
		},
	}
	cmd.Flags().BoolVarP(&all, "all-namespaces", "A", false, "of all namespaces")
	cmd.Flags().BoolVarP(&watch, "watch", "w", false, "go on to show what changes, until it is interrupted")
	cmd.Flags().StringVarP(&how, "output", "o", "", "wide, which cuts no reason, or json or yaml")
	return cmd
}

// showJobs prints jobs, the youngest last.
func (c *cluster) showJobs(ctx context.Context, out io.Writer, how string) error {
	jobs, err := c.jobsByAge(ctx)
	if err != nil {
		return err
	}
	if how == "" || how == wide {
		rows, err := c.table(ctx, jobs, how == wide)
		if err != nil {
			return err
		}
		fmt.Fprintln(out, strings.Join(aligned(rows), "\n"))
		return nil
	}
	list, err := c.listOf(jobs)
	if err != nil {
		return err
	}
	return printAs(out, how, list)
}

// jobsByAge are all jobs, the youngest last.
func (c *cluster) jobsByAge(ctx context.Context) ([]job, error) {
	jobs, err := c.jobsIn(ctx, c.namespace)
	slices.SortFunc(jobs, func(a, b job) int {
		at, bt := a.object.GetCreationTimestamp(), b.object.GetCreationTimestamp()
		return at.Compare(bt.Time)
	})
	return jobs, err
}

// wide is the table with all that there is to say.
const wide = "wide"

// listOf is a List of jobs as the API has them.
func (c *cluster) listOf(jobs []job) (*corev1.List, error) {
	list := &corev1.List{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "List"}, Items: []runtime.RawExtension{}}
	for i := range jobs {
		o := jobs[i].object
		kind, err := c.GroupVersionKindFor(o)
		if err != nil {
			return nil, err
		}
		o.GetObjectKind().SetGroupVersionKind(kind) // a typed list leaves it out
		list.Items = append(list.Items, runtime.RawExtension{Object: o})
	}
	return list, nil
}

// table has a row for each job, below the headings.
func (c *cluster) table(ctx context.Context, jobs []job, whole bool) ([][]string, error) {
	if len(jobs) == 0 {
		return [][]string{{"there are no jobs"}}, nil
	}
	pods := map[client.ObjectKey]map[string][]corev1.Pod{} // by job and kind
	for _, k := range kinds {
		var list corev1.PodList
		if err := c.List(ctx, &list, client.InNamespace(c.namespace), client.HasLabels{k.labelled}); err != nil {
			return nil, err
		}
		for _, p := range list.Items {
			key := client.ObjectKey{Namespace: p.Namespace, Name: p.Labels[k.labelled]}
			if pods[key] == nil {
				pods[key] = map[string][]corev1.Pod{}
			}
			pods[key][k.name] = append(pods[key][k.name], p)
		}
	}
	rows := [][]string{c.headings()}
	for i := range jobs {
		j := &jobs[i]
		rows = append(rows, c.row(j, pods[client.ObjectKeyFromObject(j.object)][j.kind.name], whole))
	}
	return rows, nil
}

// aligned are the rows of a table as lines.
func aligned(rows [][]string) []string {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	_ = w.Flush() // a builder takes all
	return strings.Split(strings.TrimSuffix(text.String(), "\n"), "\n")
}

// ageHeading is the heading of what changes with time alone.
const ageHeading = "AGE"

func (c *cluster) headings() []string {
	h := []string{"JOB", "QUEUE", "STATE", "PODS", "PROGRESS", ageHeading, "REASON"}
	if c.namespace == "" {
		h = slices.Insert(h, 0, "NAMESPACE")
	}
	return h
}

// row tells of one job, and of the reason a short form if it is not the whole that is
// wished.
func (c *cluster) row(j *job, pods []corev1.Pod, whole bool) []string {
	reason := j.reason
	if !j.ended && reason == "" {
		reason = waitsFor(pods)
	}
	if !whole {
		reason = short(reason)
	}
	row := []string{
		j.name(), orDash(j.queue), j.state, fmt.Sprintf("%d/%d", running(pods), max(j.wanted, len(pods))), orDash(short(j.progress)),
		duration.HumanDuration(j.age()), orDash(strings.Join(strings.Fields(reason), " ")),
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
