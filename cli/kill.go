package cli

import (
	"fmt"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

func newKill(c *caller) *cobra.Command {
	return &cobra.Command{
		Use: "kill NAME...", Short: "Delete jobs with all that is theirs", Args: cobra.MinimumNArgs(1),
		Example: "  muster kill pi tf/train",
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.forEach(cmd, args, func(on *cluster, j *job) (string, error) {
				return "killed", on.Delete(cmd.Context(), j.object, client.PropagationPolicy(metav1.DeletePropagationBackground))
			})
		},
	}
}

func newSuspend(c *caller) *cobra.Command {
	return &cobra.Command{
		Use: "suspend NAME...", Short: "Have jobs give their room back until they are resumed", Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return c.suspend(cmd, args, true) },
	}
}

func newResume(c *caller) *cobra.Command {
	return &cobra.Command{
		Use: "resume NAME...", Short: "Have suspended jobs run again", Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return c.suspend(cmd, args, false) },
	}
}

func (c *caller) suspend(cmd *cobra.Command, names []string, yes bool) error {
	done := map[bool]string{true: "suspended", false: "resumed"}[yes]
	return c.forEach(cmd, names, func(on *cluster, j *job) (string, error) {
		if j.ended {
			return "", fmt.Errorf("%s has ended: it is %s", j.name(), j.state)
		}
		before := j.object.DeepCopyObject().(client.Object)
		j.kind.suspend(j.object, yes)
		return done, on.Patch(cmd.Context(), j.object, client.MergeFrom(before))
	})
}

// forEach does something with each job that is named, until it fails for one, and says
// what was done.
func (c *caller) forEach(cmd *cobra.Command, names []string, do func(*cluster, *job) (string, error)) error {
	on, err := c.connect()
	if err != nil {
		return err
	}
	for _, name := range names {
		j, err := on.find(cmd.Context(), name)
		if err != nil {
			return err
		}
		done, err := do(on, j)
		if err != nil {
			return err
		}
		fmt.Fprintf(cmd.OutOrStdout(), "%s %s\n", j.name(), done)
	}
	return nil
}
