package run

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	config "muster.sh/muster/api/config/v1alpha1"
	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/explain"
	"muster.sh/muster/scheduler/journal"
)

// ErrDiffers is returned where a replay comes to other decisions than were recorded.
var ErrDiffers = errors.New("the replay comes to other decisions than were recorded")

// trouble is why a replay can't say whether the decisions are the same.
type trouble struct{ error }

// ExitCode is that of a process which ends with an error. It is 1, and 2 where a replay
// does not tell whether the decisions are the same.
func ExitCode(err error) int {
	if errors.As(err, &trouble{}) {
		return 2
	}
	return 1
}

// replay is what is asked for on the command line.
type replay struct{ until, explain, output string }

func newReplayCommand() *cobra.Command {
	r := &replay{}
	cmd := &cobra.Command{
		Use:   "replay FILE",
		Short: "Replays what a scheduler has recorded, without a cluster",
		Long: `Gives the events that a scheduler has recorded (record.file of its configuration) to
a new one, without a cluster, and says whether that comes to the same decisions.

Exit codes: 0 for the same decisions, 1 for others, 2 where that can't be told.`,
		Example: `  muster-scheduler replay /tmp/events.jsonl
  muster-scheduler replay /tmp/events.jsonl --until 2030-01-01T12:00:00Z --explain team-a/train`,
		RunE: func(cmd *cobra.Command, args []string) error {
			err := r.run(cmd.OutOrStdout(), args)
			if err != nil && !errors.Is(err, ErrDiffers) {
				return trouble{err}
			}
			return err
		},
	}
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return trouble{err} })
	cmd.Flags().StringVar(&r.until, "until", "", "replay no event behind this time (RFC 3339) or number")
	cmd.Flags().StringVar(&r.explain, "explain", "", "tell all of a gang at the end of the replay: NAMESPACE/NAME, of itself or of its owner")
	cmd.Flags().StringVarP(&r.output, "output", "o", "text", "text or json")
	return cmd
}

// outcome is what a replay has to tell.
type outcome struct {
	// Recorder and Replayer are versions of the scheduler.
	Recorder string `json:"recorder"`
	Replayer string `json:"replayer"`
	*journal.Report
	// Gangs are those that were asked for.
	Gangs []core.Record `json:"gangs,omitempty"`
}

func (r *replay) run(w io.Writer, args []string) error {
	show, known := map[string]func(*outcome, io.Writer) error{"text": (*outcome).text, "json": (*outcome).json}[r.output]
	switch {
	case len(args) != 1:
		return errors.New("name one file that was recorded")
	case !known:
		return fmt.Errorf("--output: %q is neither text nor json", r.output)
	}
	behind, err := readUntil(r.until)
	if err != nil {
		return err
	}
	namespace, name, named := strings.Cut(r.explain, "/")
	if !named && r.explain != "" {
		return fmt.Errorf("--explain: %q is not of the form NAMESPACE/NAME", r.explain)
	}
	o, machine, err := replayFile(args[0], behind)
	if err != nil {
		return fmt.Errorf("%s: %w", args[0], err)
	}
	if named {
		if o.Gangs = machine.Named(namespace, name); len(o.Gangs) == 0 {
			return fmt.Errorf("--explain: after event %d there is no gang %s in namespace %s", o.Steps, name, namespace)
		}
	}
	if err := show(o, w); err != nil {
		return err
	}
	if o.Difference != nil {
		return ErrDiffers
	}
	return nil
}

// readUntil says what is behind a time, or a number of events; nil for nothing.
func readUntil(text string) (func(*journal.Entry) bool, error) {
	if text == "" {
		return nil, nil
	}
	if last, err := strconv.Atoi(text); err == nil {
		return func(e *journal.Entry) bool { return e.Number > last }, nil
	}
	last, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return nil, fmt.Errorf("--until: %q is neither the number of an event nor a time such as 2030-01-01T12:00:00Z", text)
	}
	return func(e *journal.Entry) bool { return e.At.After(last) }, nil
}

// replayFile returns the machine as well, as it is in the end.
func replayFile(path string, behind func(*journal.Entry) bool) (*outcome, *core.Machine, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer file.Close()
	recorded, err := journal.NewReader(file)
	if err != nil {
		return nil, nil, err
	}
	options := recorded.Header.Options
	if options.Strategy = strategies[config.Strategy(recorded.Header.Strategy)]; options.Strategy == nil {
		return nil, nil, fmt.Errorf("line 1: the strategy %q is not known", recorded.Header.Strategy)
	}
	machine := core.NewMachine(options)
	report, err := journal.Replay(recorded, machine, behind)
	return &outcome{Recorder: recorded.Header.Muster, Replayer: ownVersion(), Report: report}, machine, err
}

func (o *outcome) json(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(o)
}

func (o *outcome) text(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "Recorded by:\tmuster-scheduler %s, and replayed by %s\n", o.Recorder, o.Replayer)
	fmt.Fprintf(t, "Time:\t%s to %s (%s)\n", o.From.Format(time.RFC3339Nano), o.To.Format(time.RFC3339Nano), o.To.Sub(o.From))
	fmt.Fprintf(t, "Ends:\t%s\n", o.End)
	fmt.Fprintf(t, "Events:\t%s\n", counts(o.Events))
	fmt.Fprintf(t, "Decisions:\t%s\n", counts(o.Decisions))
	if o.Difference == nil {
		fmt.Fprintln(t, "Same decisions:\tyes")
	} else {
		fmt.Fprintf(t, "Same decisions:\tno, %d events differ; the first is\n", o.Differing)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if o.Difference != nil {
		fmt.Fprintln(w, o.Difference)
	}
	for _, g := range o.Gangs {
		fmt.Fprintln(w)
		if err := explain.Detail(w, g, o.To); err != nil {
			return err
		}
	}
	return nil
}

// counts tells the sum, and the number of each kind.
func counts(of map[string]int) string {
	sum := 0
	var parts []string
	for _, kind := range slices.Sorted(maps.Keys(of)) {
		sum += of[kind]
		parts = append(parts, fmt.Sprintf("%d %s", of[kind], kind))
	}
	if sum == 0 {
		return "0"
	}
	return fmt.Sprintf("%d: %s", sum, strings.Join(parts, ", "))
}
