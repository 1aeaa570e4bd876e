package cli

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
)

func newLogs(c *caller) *cobra.Command {
	follow, role, executor := false, "", 0
	cmd := &cobra.Command{
		Use: "logs NAME", Short: "Print the log of a job's driver, chief, or another pod", Args: cobra.ExactArgs(1),
		Example: "  muster logs -f pi\n  muster logs pi --executor 2\n  muster logs train --role worker-1",
		RunE: func(cmd *cobra.Command, args []string) error {
			if executor > 0 {
				role = "executor-" + strconv.Itoa(executor)
			}
			on, j, pods, err := c.open(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			pod, err := j.logged(pods, role)
			if err != nil {
				return err
			}
			return on.printLog(cmd.Context(), cmd.OutOrStdout(), pod, follow)
		},
	}
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "go on until the pod ends")
	cmd.Flags().StringVar(&role, "role", "", "the pod of this role, as \"muster status\" lists them")
	cmd.Flags().IntVar(&executor, "executor", 0, "the executor with this number")
	cmd.MarkFlagsMutuallyExclusive("role", "executor")
	return cmd
}

// logged returns the pod of a role, or the one that leads where none is named.
func (j *job) logged(pods []corev1.Pod, role string) (*corev1.Pod, error) {
	wanted := j.kind.lead
	if role != "" {
		wanted = []string{role}
	}
	for _, w := range wanted {
		for i := range pods {
			if j.kind.role(&pods[i]) == w {
				return &pods[i], nil
			}
		}
	}
	if len(pods) == 0 {
		return nil, fmt.Errorf("%s has no pods: it is %s", j.name(), j.state)
	}
	var there []string
	for i := range pods {
		there = append(there, j.kind.role(&pods[i]))
	}
	return nil, fmt.Errorf("%s has no pod %s; it has %s", j.name(), wanted[0], strings.Join(there, ", "))
}

func (c *cluster) printLog(ctx context.Context, out io.Writer, pod *corev1.Pod, follow bool) error {
	if pod.Spec.NodeName == "" {
		return fmt.Errorf("pod %s does not run yet: %s", pod.Name, waitsFor([]corev1.Pod{*pod}))
	}
	stream, err := c.pods.CoreV1().Pods(pod.Namespace).GetLogs(pod.Name, &corev1.PodLogOptions{
		Follow: follow, Container: pod.Spec.Containers[0].Name,
	}).Stream(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = stream.Close() }() // it was read
	_, err = io.Copy(out, stream)
	return err
}
