package run

import (
	"fmt"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	cliflag "k8s.io/component-base/cli/flag"
	"k8s.io/component-base/logs"
	logsapi "k8s.io/component-base/logs/api/v1"
	_ "k8s.io/component-base/logs/json/register"          // --logging-format=json
	_ "k8s.io/component-base/metrics/prometheus/clientgo" // metrics of client-go
	_ "k8s.io/component-base/metrics/prometheus/version"  // the metric kubernetes_build_info
	_ "k8s.io/component-base/metrics/prometheus/workqueue"
	"k8s.io/klog/v2"

	config "muster.sh/muster/api/config/v1alpha1"
	"muster.sh/muster/internal/configflags"
)

// flags are what the command line sets over the configuration file. Their
// names are kube-scheduler's.
type flags struct {
	shared    configflags.Flags
	gates     map[string]bool
	openPaths []string
	logs      *logsapi.LoggingConfiguration
}

// NewCommand returns the command muster-scheduler.
func NewCommand() *cobra.Command {
	f := &flags{logs: logsapi.NewLoggingConfiguration()}
	cmd := &cobra.Command{
		Use:   "muster-scheduler",
		Short: "Schedules gangs of pods on Kubernetes: all of a gang starts, or nothing",
		Long: `muster-scheduler places pods whose spec.schedulerName is "muster".

Pods that belong together, such as the driver of a Spark application and its
executors or the members of a PodGroup, start together or wait together. Other
pods are scheduled one by one, as kube-scheduler does it, but never on room
that is reserved for a gang.

It is configured by a file (apiVersion config.muster.sh/v1alpha1, kind
SchedulerConfiguration); flags win over the file.`,
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.run(cmd)
		},
	}
	f.add(cmd.Flags())
	cmd.AddCommand(newReplayCommand())
	return cmd
}

func (f *flags) add(fs *pflag.FlagSet) {
	f.shared.Add(fs, configflags.Defaults{Lease: "muster-scheduler", Port: 10263, Serves: "health and metrics"})
	fs.StringSliceVar(&f.openPaths, "authorization-always-allow-paths", nil, "paths that are served to everybody, beside health")
	fs.Var(cliflag.NewMapStringBool(&f.gates), "feature-gates", "feature gates of kube-scheduler, as name=true or name=false")
	logsapi.AddFlags(f.logs, fs)
	fs.VisitAll(func(flag *pflag.Flag) {
		// Alpha options of the logger, which fill the help with their reservations.
		if strings.HasPrefix(flag.Name, "log-json-") || strings.HasPrefix(flag.Name, "log-text-") {
			flag.Hidden = true
		}
	})
}

func (f *flags) run(cmd *cobra.Command) error {
	if err := logsapi.ValidateAndApply(f.logs, nil); err != nil {
		return fmt.Errorf("logging: %w", err)
	}
	defer logs.FlushLogs()
	c, err := f.configuration(cmd.Flags())
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	ctx = klog.NewContext(ctx, klog.Background())
	return Run(ctx, c, Options{FeatureGates: f.gates, OpenPaths: f.openPaths})
}

// configuration reads the file and sets the flags over it.
func (f *flags) configuration(fs *pflag.FlagSet) (*config.SchedulerConfiguration, error) {
	c := config.NewSchedulerConfiguration()
	if f.shared.File != "" {
		var err error
		if c, err = config.LoadScheduler(f.shared.File); err != nil {
			return nil, err
		}
	}
	over := configflags.Set{Client: &c.ClientConnection, Election: &c.LeaderElection, Serving: &c.Serving}
	f.shared.Apply(fs, over, nil)
	if errs := c.Validate(); len(errs) > 0 {
		return nil, errs.ToAggregate()
	}
	return c, nil
}
