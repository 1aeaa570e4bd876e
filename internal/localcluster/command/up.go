package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/api/resource"

	"muster.sh/muster/internal/localcluster"
)

type upFlags struct {
	dir              string
	foreground       bool
	shape            string
	nodeMemory       string
	featureGates     []string
	runtimeConfig    []string
	defaultScheduler bool
	musterScheduler  bool
	operators        bool
	spec             localcluster.Spec
}

func newUpCommand() *cobra.Command { return newUpCommandWith(&upFlags{}) }

func newUpCommandWith(flags *upFlags) *cobra.Command {
	command := &cobra.Command{
		Use:   "up",
		Short: "Start the cluster",
		Long: `Start the cluster and return when it is ready; it runs on in the background
until "muster-local down".

A folder that holds a cluster already has that cluster started again, with its
objects, ports and certificates, in the size given now.`,
		Example: `  muster-local up --sim-nodes 100 --sim-node-shape cpu=32,memory=256Gi,nvidia.com/gpu=8
  muster-local up --nodes 2                 # real nodes: needs root
  muster-local up --sim-nodes 4 --kubernetes-version 1.34
  export KUBECONFIG=$(muster-local kubeconfig)`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			spec, err := flags.complete()
			if err != nil {
				return err
			}
			simulateInstead(command.Context(), command.OutOrStdout(), &spec)
			if flags.foreground {
				return upForeground(spec)
			}
			return upBackground(command.Context(), spec)
		},
	}
	f := command.Flags()
	addDirFlag(command, &flags.dir)
	f.StringVar(&flags.spec.KubernetesVersion, "kubernetes-version", "", "version of the control plane, of "+strings.Join(localcluster.KubernetesVersions(), ", ")+
		" (default: the last); an older one is built once, and its nodes are simulated")
	f.BoolVar(&flags.foreground, "foreground", false, "stay in the foreground and end the cluster on Ctrl-C")
	f.IntVar(&flags.spec.Nodes, "nodes", 0, "number of real nodes (needs root on Linux)")
	f.IntVar(&flags.spec.NodeCPUs, "node-cpus", 0, fmt.Sprintf("CPUs that each real node shows (default: this machine's %d)", runtime.NumCPU()))
	f.StringVar(&flags.nodeMemory, "node-memory", "", "memory that each real node shows, such as 8Gi (default: this machine's)")
	f.IntVar(&flags.spec.SimNodes, "sim-nodes", 0, "number of simulated nodes; pods on them run nothing")
	f.StringVar(&flags.shape, "sim-node-shape", "cpu=32,memory=256Gi", "resources of a simulated node, and its NUMA zones=N")
	f.BoolVar(&flags.spec.SparkActor, "spark-actor", true, "play the Spark drivers that land on simulated nodes")
	f.BoolVar(&flags.defaultScheduler, "default-scheduler", true, "run kube-scheduler")
	f.BoolVar(&flags.musterScheduler, "muster-scheduler", true, "run Muster's scheduler, for pods with schedulerName muster")
	f.BoolVar(&flags.operators, "operators", true, "run muster-operators, for SparkApplications and TFJobs")
	f.BoolVar(&flags.spec.AuditLog, "audit-log", false, "record every write in audit.log in the cluster's folder")
	f.BoolVar(&flags.spec.SeparateProcesses, "separate-processes", false, "run etcd, API server and controller manager as three processes")
	f.StringSliceVar(&flags.spec.Manifests, "manifest", nil, "YAML file or folder to apply before the schedulers start (repeatable)")
	f.StringSliceVar(&flags.featureGates, "feature-gates", nil, "NAME=true|false on every component (repeatable)")
	f.StringSliceVar(&flags.runtimeConfig, "runtime-config", nil, "GROUP/VERSION=true|false of the API server (repeatable)")
	return command
}

// complete turns the flags into a spec.
func (f *upFlags) complete() (localcluster.Spec, error) {
	spec := f.spec
	spec.Keep = true
	var err error
	if spec.Dir, err = clusterDir(f.dir); err != nil {
		return spec, err
	}
	if spec.SimNodeShape, err = localcluster.ParseShape(f.shape); err != nil {
		return spec, fmt.Errorf("--sim-node-shape: %w", err)
	}
	if f.nodeMemory != "" {
		if spec.NodeMemory, err = resource.ParseQuantity(f.nodeMemory); err != nil {
			return spec, fmt.Errorf("--node-memory %s: %w", f.nodeMemory, err)
		}
	}
	if spec.FeatureGates, err = parseGates(f.featureGates); err != nil {
		return spec, err
	}
	if spec.RuntimeConfig, err = parsePairs("--runtime-config", f.runtimeConfig); err != nil {
		return spec, err
	}
	spec.Schedulers = []localcluster.SchedulerSpec{}
	if f.defaultScheduler {
		spec.Schedulers = append(spec.Schedulers, localcluster.DefaultScheduler())
	}
	if f.musterScheduler {
		spec.Schedulers = append(spec.Schedulers, localcluster.MusterScheduler())
	}
	if f.operators {
		spec.Operators = &localcluster.OperatorsSpec{}
	}
	return spec, nil
}

// simulateInstead replaces real nodes by simulated ones on a machine that can't
// run them, and says why.
func simulateInstead(ctx context.Context, out io.Writer, spec *localcluster.Spec) {
	if spec.Nodes == 0 {
		return
	}
	missing := localcluster.MissingForNodes(ctx, spec.Dir)
	if len(missing) == 0 {
		return
	}
	var lines []string
	for _, requirement := range missing {
		lines = append(lines, requirement.String())
	}
	fmt.Fprintf(out, "no real nodes here, simulated ones instead: %s\n", strings.Join(lines, "; "))
	spec.SimNodes = max(spec.SimNodes, spec.Nodes)
	spec.Nodes = 0
}

func parseGates(pairs []string) (map[string]bool, error) {
	texts, err := parsePairs("--feature-gates", pairs)
	if err != nil {
		return nil, err
	}
	gates := map[string]bool{}
	for name, text := range texts {
		if gates[name], err = strconv.ParseBool(text); err != nil {
			return nil, fmt.Errorf("--feature-gates %s=%s: must be true or false", name, text)
		}
	}
	return gates, nil
}

func parsePairs(flag string, pairs []string) (map[string]string, error) {
	values := map[string]string{}
	for _, pair := range pairs {
		name, value, found := strings.Cut(pair, "=")
		if !found || name == "" {
			return nil, fmt.Errorf("%s %q: must be NAME=VALUE", flag, pair)
		}
		values[name] = value
	}
	return values, nil
}

// upForeground runs the cluster as children of this process.
func upForeground(spec localcluster.Spec) error {
	ctx, cancel := untilSignal()
	defer cancel()
	spec.Progress = os.Stdout
	cluster, err := localcluster.Up(ctx, spec)
	if err != nil {
		return err
	}
	fmt.Println(readyText(cluster.Kubeconfig()))
	<-ctx.Done()
	cancel() // a second Ctrl-C ends this process, and with it all children
	return cluster.Close()
}

// upBackground starts a supervisor and waits until it has the cluster up.
func upBackground(ctx context.Context, spec localcluster.Spec) error {
	state, err := localcluster.ReadState(spec.Dir)
	if err == nil && state.Owner.Alive() {
		return fmt.Errorf("a cluster runs in %s already; end it with: muster-local down", spec.Dir)
	}
	if err != nil && !errors.Is(err, localcluster.ErrNoCluster) {
		return err
	}
	if err := startSupervisor(ctx, spec); err != nil {
		return err
	}
	if state, err = localcluster.ReadState(spec.Dir); err != nil {
		return err
	}
	fmt.Println(readyText(state.Kubeconfig))
	return nil
}

func readyText(kubeconfig string) string {
	return "ready; use it with: export KUBECONFIG=" + kubeconfig
}
