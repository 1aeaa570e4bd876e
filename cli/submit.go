package cli

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/json"
	yamlreader "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"
)

func newSubmit(c *caller) *cobra.Command {
	cmd := &cobra.Command{Use: "submit", Short: "Submit a job"}
	cmd.AddCommand(newSubmitSpark(c), newSubmitTF(c))
	return cmd
}

func newSubmitTF(c *caller) *cobra.Command {
	s := &submission{caller: c, kind: tensorflow}
	cmd := &cobra.Command{
		Use: "tf -f FILE", Short: "Submit TFJobs", Args: cobra.NoArgs,
		Example: "  muster submit tf -f train.yaml --wait",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if s.file == "" {
				return errors.New("name a file with -f; - is the standard input")
			}
			objects, err := s.read(cmd.InOrStdin())
			if err != nil {
				return err
			}
			return s.submit(cmd, objects)
		},
	}
	s.addFlags(cmd)
	return cmd
}

// submission is what all kinds of jobs are submitted with.
type submission struct {
	*caller
	kind         *kind
	file         string
	wait, dryRun bool
}

func (s *submission) addFlags(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&s.file, "filename", "f", "", "a file with manifests; - is the standard input")
	cmd.Flags().BoolVar(&s.wait, "wait", false, "show what becomes of it, and fail if it does")
	cmd.Flags().BoolVar(&s.dryRun, "dry-run", false, "print what would be submitted")
}

// read reads the jobs of a file. A field that is not known, or another kind, is refused.
func (s *submission) read(in io.Reader) ([]client.Object, error) {
	if s.file != "-" {
		f, err := os.Open(s.file)
		if err != nil {
			return nil, err
		}
		defer func() { _ = f.Close() }() // it was read
		in = f
	}
	known, err := newScheme()
	if err != nil {
		return nil, err
	}
	reader := json.NewSerializerWithOptions(json.DefaultMetaFactory, known, known, json.SerializerOptions{Yaml: true, Strict: true})
	var out []client.Object
	for documents := yamlreader.NewYAMLReader(bufio.NewReader(in)); ; {
		text, err := documents.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if len(bytes.TrimSpace(text)) == 0 {
			continue
		}
		o, _, err := reader.Decode(text, nil, nil)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.file, err)
		}
		if got := o.GetObjectKind().GroupVersionKind().Kind; got != s.kind.api {
			return nil, fmt.Errorf("%s has a %s, and %q submits %ss", s.file, got, "muster submit "+s.kind.name, s.kind.api)
		}
		out = append(out, o.(client.Object))
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%s has no %s", s.file, s.kind.api)
	}
	return out, nil
}

// submit creates jobs, and waits for them if that is wished.
func (s *submission) submit(cmd *cobra.Command, objects []client.Object) error {
	out := cmd.OutOrStdout()
	if s.dryRun {
		return printAll(out, objects)
	}
	on, err := s.connect()
	if err != nil {
		return err
	}
	for _, o := range objects {
		if o.GetNamespace() == "" {
			o.SetNamespace(on.namespace)
		}
		if err := on.Create(cmd.Context(), o); meta.IsNoMatchError(err) {
			return fmt.Errorf("the cluster does not know %ss; install Muster's chart, or apply charts/muster/crds", s.kind.api)
		} else if err != nil {
			return err
		}
		fmt.Fprintf(out, "%s/%s submitted\n", s.kind.name, o.GetName())
	}
	if !s.wait {
		return nil
	}
	for _, o := range objects {
		if err := on.await(cmd.Context(), out, s.kind, o); err != nil {
			return err
		}
	}
	return nil
}

// printAll prints objects as they would be created.
func printAll(out io.Writer, objects []client.Object) error {
	for i, o := range objects {
		content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
		if err != nil {
			return err
		}
		delete(content, "status") // it is not the user's to set
		text, err := yaml.Marshal(content)
		if err != nil {
			return err
		}
		if i > 0 {
			fmt.Fprintln(out, "---")
		}
		if _, err := out.Write(text); err != nil {
			return err
		}
	}
	return nil
}

// await shows the state of a job until it has ended.
func (c *cluster) await(ctx context.Context, out io.Writer, k *kind, o client.Object) error {
	shown := newScreen(out)
	for {
		w, err := c.Watch(ctx, k.list(), client.InNamespace(o.GetNamespace()), client.MatchingFieldsSelector{
			Selector: fields.OneTermEqualSelector("metadata.name", o.GetName()),
		})
		if err != nil {
			return err
		}
		for e := range w.ResultChan() {
			now, ok := e.Object.(*unstructured.Unstructured)
			if !ok || now.GetUID() != o.GetUID() {
				continue
			}
			j := k.jobOf(now)
			if e.Type == "DELETED" {
				w.Stop()
				return fmt.Errorf("%s was deleted", j.name())
			}
			if shown.show(c.line(ctx, &j)); j.ended {
				w.Stop()
				return j.outcome()
			}
		}
		if ctx.Err() != nil {
			return fmt.Errorf("not waited for any longer; %s/%s goes on: muster status %s", k.name, o.GetName(), o.GetName())
		}
	}
}

// line tells of the state of a job.
func (c *cluster) line(ctx context.Context, j *job) string {
	line := j.name() + " " + j.state
	reason := j.reason
	if pods, err := c.podsOf(ctx, j); err == nil && !j.ended {
		line += fmt.Sprintf(", %d/%d pods run", running(pods), max(j.wanted, len(pods)))
		if reason == "" {
			reason = waitsFor(pods)
		}
	}
	if reason != "" {
		line += ": " + short(reason)
	}
	return line
}

func (j *job) outcome() error {
	if j.failed {
		return fmt.Errorf("%s has failed: %s", j.name(), short(j.reason))
	}
	return nil
}
