package cli

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	explainv1 "muster.sh/muster/api/explain/v1"
)

func newQueues(c *caller) *cobra.Command {
	return queuesCommand(c, "queues", "Show the tree of queues, with what each may use", showQueues)
}

func newTop(c *caller) *cobra.Command {
	return queuesCommand(c, "top", "Show what each queue uses, has borrowed, and waits for", showTop)
}

func queuesCommand(c *caller, use, short string, show func(io.Writer, []explainv1.Queue) error) *cobra.Command {
	a, how := &asker{caller: c}, ""
	cmd := &cobra.Command{
		Use: use, Short: short, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			list, err := a.queues(cmd)
			if err != nil {
				return err
			}
			if how != "" {
				return printAs(cmd.OutOrStdout(), how, list)
			}
			return show(cmd.OutOrStdout(), list)
		},
	}
	a.addFlags(cmd)
	cmd.Flags().StringVarP(&how, "output", "o", "", "json or yaml")
	return cmd
}

// queues asks for all pages.
func (a *asker) queues(cmd *cobra.Command) ([]explainv1.Queue, error) {
	var all []explainv1.Queue
	for query := (url.Values{}); ; {
		var page explainv1.QueueList
		if err := a.get(cmd.Context(), "/v1/queues", query, &page); err != nil {
			return nil, err
		}
		if all = append(all, page.Items...); page.Continue == "" {
			return all, nil
		}
		query.Set("continue", page.Continue)
	}
}

// branch is a queue in its place in the tree.
type branch struct {
	explainv1.Queue
	depth int
}

// tree has queues in the order of the tree, each before those below it.
func tree(list []explainv1.Queue) []branch {
	below := map[string][]explainv1.Queue{}
	for _, q := range list {
		below[q.Parent] = append(below[q.Parent], q)
	}
	var out []branch
	var add func(parent string, depth int)
	add = func(parent string, depth int) {
		for _, q := range below[parent] {
			out = append(out, branch{q, depth})
			add(q.Name, depth+1)
		}
	}
	add("", 0)
	return out
}

func (b *branch) label() string { return strings.Repeat("  ", b.depth) + b.Name }

func showQueues(out io.Writer, list []explainv1.Queue) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "QUEUE\tSTATE\tWEIGHT\tGUARANTEED\tDESERVED\tCAPABILITY\tSHARE\tWAITING")
	for _, b := range tree(list) {
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\t%s\t%.2f\t%d\n", b.label(), cmp.Or(short(b.Problem), b.State), b.Weight, amounts(b.Guaranteed), amounts(b.Deserved), amounts(b.Capability), b.Share, b.Waiting)
	}
	return w.Flush()
}

func showTop(out io.Writer, list []explainv1.Queue) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "QUEUE\tSHARE\tGUARANTEED\tDESERVED\tUSED\tBORROWED\tPENDING\tWAITING")
	for _, b := range tree(list) {
		fmt.Fprintf(w, "%s\t%.2f\t%s\t%s\t%s\t%s\t%s\t%d\n", b.label(), b.Share, amounts(b.Guaranteed), amounts(b.Deserved), amounts(b.Used), amounts(b.Borrowed), amounts(b.Pending), b.Waiting)
	}
	return w.Flush()
}

// amounts says quantities in one line.
func amounts(a explainv1.Amounts) string {
	var out []string
	for name, quantity := range a {
		out = append(out, name+"="+quantity)
	}
	slices.Sort(out)
	return orDash(strings.Join(out, " "))
}

// printAs prints an answer as it came.
func printAs(out io.Writer, how string, answer any) error {
	var text []byte
	var err error
	switch how {
	case "json":
		text, err = json.MarshalIndent(answer, "", "  ")
		text = append(text, '\n')
	case "yaml":
		text, err = yaml.Marshal(answer)
	default:
		return fmt.Errorf("-o %s is no form of output; say json or yaml", how)
	}
	if err != nil {
		return err
	}
	_, err = out.Write(text)
	return err
}
