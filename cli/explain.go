package cli

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/util/duration"

	explainv1 "muster.sh/muster/api/explain/v1"
)

func newExplain(c *caller) *cobra.Command {
	a, how := &asker{caller: c}, ""
	cmd := &cobra.Command{
		Use: "explain NAME", Short: "Say why a gang is where it is", Args: cobra.ExactArgs(1),
		Long: `Asks the scheduler why a gang is where it is. NAME is that of the job, or of the PodGroup,
Job or driver pod that stands for it.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			g, err := a.gang(cmd, args[0])
			if err != nil {
				return err
			}
			if how != "" {
				return printAs(cmd.OutOrStdout(), how, g)
			}
			return showGang(cmd.OutOrStdout(), g)
		},
	}
	a.addFlags(cmd)
	cmd.Flags().StringVarP(&how, "output", "o", "", "json or yaml")
	return cmd
}

// gang asks for one by its name, or that of its job: a Spark application's driver stands
// for its gang.
func (a *asker) gang(cmd *cobra.Command, named string) (*explainv1.Gang, error) {
	namespace, _, err := a.names()
	if err != nil {
		return nil, err
	}
	name := named[strings.LastIndex(named, "/")+1:]
	for _, n := range []string{name, name + "-driver"} {
		g := &explainv1.Gang{}
		err = a.get(cmd.Context(), "/v1/gangs/"+url.PathEscape(namespace)+"/"+url.PathEscape(n), nil, g)
		var problem *explainv1.Problem
		if !errors.As(err, &problem) || problem.Status != http.StatusNotFound {
			return g, err
		}
	}
	return nil, fmt.Errorf("the scheduler knows no gang %s in namespace %s; has its job pods, and schedulerName muster?", name, namespace)
}

func showGang(out io.Writer, g *explainv1.Gang) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "Gang\t%s of %s %s\n", g.Name, g.Owner.Kind, g.Owner.Name)
	fmt.Fprintf(w, "Queue\t%s\n", g.Queue)
	if g.Place > 0 {
		fmt.Fprintf(w, "Place\t%d in its queue\n", g.Place)
	}
	fmt.Fprintf(w, "Phase\t%s, %d bound of a minimum of %d\n", g.Phase, g.Bound, g.Minimum)
	fmt.Fprintf(w, "Verdict\t%s: %s\n", g.Verdict.Code, g.Verdict.Message)
	if !g.Verdict.Since.IsZero() {
		fmt.Fprintf(w, "Since\t%s\n", duration.HumanDuration(time.Since(g.Verdict.Since)))
	}
	if g.Start != nil {
		fmt.Fprintf(w, "Start\t%s\n", startText(g.Start))
	}
	if !g.Ends.IsZero() {
		fmt.Fprintf(w, "Ends\texpected in %s\n", duration.HumanDuration(time.Until(g.Ends)))
	}
	if len(g.Verdict.RuledOut) > 0 {
		fmt.Fprintf(w, "\nOF %d NODES\tARE RULED OUT BY\n", g.Verdict.Nodes)
	}
	for _, r := range g.Verdict.RuledOut {
		fmt.Fprintf(w, "%d\t%s\n", r.Nodes, r.Constraint)
	}
	if len(g.Slots) > 0 {
		fmt.Fprintln(w, "\nROLE\tNODE\tPOD")
	}
	for _, s := range g.Slots {
		pod := s.Pod
		if pod == "" {
			pod = "(expected)"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", orDash(s.Role), s.Node, pod)
	}
	return w.Flush()
}

func startText(s *explainv1.Start) string {
	text := "unknown: " + s.Unknown
	if !s.At.IsZero() {
		text = fmt.Sprintf("in %s at the latest, on %d nodes", duration.HumanDuration(max(time.Until(s.At), 0)), s.Nodes)
	}
	if s.Moved != "" {
		text += "; it was earlier, but " + s.Moved
	}
	return text
}
