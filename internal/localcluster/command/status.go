package command

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"muster.sh/muster/internal/localcluster"
)

func newStatusCommand() *cobra.Command {
	var dir string
	command := &cobra.Command{
		Use:   "status",
		Short: "Show components and nodes",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			state, err := clusterState(dir)
			if err != nil {
				return err
			}
			if !state.Owner.Alive() {
				return localcluster.ErrNotRunning
			}
			return printStatus(command.Context(), command.OutOrStdout(), state)
		},
	}
	addDirFlag(command, &dir)
	return command
}

func printStatus(ctx context.Context, out io.Writer, state localcluster.State) error {
	fmt.Fprintf(out, "kubernetes  %s\nserver      %s\nkubeconfig  %s\n\n", state.Spec.KubernetesVersion, state.Server, state.Kubeconfig)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "COMPONENT\tPROCESS\tLOG")
	for _, component := range state.Components {
		pid := "down"
		if component.PID != 0 {
			pid = strconv.Itoa(component.PID)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\n", component.Name, pid, component.Log)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, note := range state.Notes {
		fmt.Fprintf(out, "\nnote: %s\n", note)
	}
	nodes, err := listNodes(ctx, state.Kubeconfig)
	if err != nil {
		return err
	}
	return printNodes(out, nodes)
}

func listNodes(ctx context.Context, kubeconfig string) ([]corev1.Node, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("load kubeconfig: %w", err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("make client: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	nodes, err := client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("list nodes: %w", err)
	}
	return nodes.Items, nil
}

// printNodes shows real nodes one by one and simulated ones as counts.
func printNodes(out io.Writer, nodes []corev1.Node) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "\nNODE\tREADY\tCPU\tMEMORY")
	simulated, ready := 0, 0
	for _, node := range nodes {
		isReady := nodeReady(node)
		if node.Labels[localcluster.SimulatedLabel] != "" {
			simulated++
			if isReady {
				ready++
			}
			continue
		}
		fmt.Fprintf(table, "%s\t%t\t%s\t%s\n", node.Name, isReady, node.Status.Allocatable.Cpu(), node.Status.Allocatable.Memory())
	}
	if simulated > 0 {
		fmt.Fprintf(table, "%d simulated\t%d\t\t\n", simulated, ready)
	}
	return table.Flush()
}

func nodeReady(node corev1.Node) bool {
	for _, condition := range node.Status.Conditions {
		if condition.Type == corev1.NodeReady {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}
