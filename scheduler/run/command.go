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
)

// flags are what the command line sets over the configuration file. Their
// names are kube-scheduler's.
type flags struct {
	file      string
	leader    bool
	override  config.SchedulerConfiguration
	port      int32
	gates     map[string]bool
	openPaths []string
	journal   string
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
	return cmd
}

func (f *flags) add(fs *pflag.FlagSet) {
	o := &f.override
	fs.StringVar(&f.file, "config", "", "path of the configuration file; without one the defaults hold")
	fs.StringVar(&o.ClientConnection.Kubeconfig, "kubeconfig", "", "path of a kubeconfig file; without one the pod's service account is used")
	fs.BoolVar(&f.leader, "leader-elect", true, "act only while holding the lease, so that several replicas may run")
	fs.StringVar(&o.LeaderElection.ResourceName, "leader-elect-resource-name", "", "name of the lease (default muster-scheduler)")
	fs.StringVar(&o.LeaderElection.ResourceNamespace, "leader-elect-resource-namespace", "", "namespace of the lease (default kube-system)")
	fs.StringVar(&o.Serving.BindAddress, "bind-address", "", "IP address on which health and metrics are served (default 127.0.0.1)")
	fs.Int32Var(&f.port, "secure-port", 0, "port on which health and metrics are served over HTTPS; 0 serves nothing (default 10263)")
	fs.StringVar(&o.Serving.CertFile, "tls-cert-file", "", "certificate of that port; without one it is made at every start")
	fs.StringVar(&o.Serving.KeyFile, "tls-private-key-file", "", "key of that certificate")
	fs.StringSliceVar(&f.openPaths, "authorization-always-allow-paths", nil, "paths that are served to everybody, beside health")
	fs.StringVar(&f.journal, "record-events", "", "file in which every event is recorded, so that its decisions can be replayed elsewhere")
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
	return Run(ctx, c, Options{FeatureGates: f.gates, OpenPaths: f.openPaths, Journal: f.journal})
}

// configuration reads the file and sets the flags over it.
func (f *flags) configuration(fs *pflag.FlagSet) (*config.SchedulerConfiguration, error) {
	c := config.NewSchedulerConfiguration()
	if f.file != "" {
		var err error
		if c, err = config.LoadScheduler(f.file); err != nil {
			return nil, err
		}
	}
	set := map[string]func(){
		"kubeconfig":                      func() { c.ClientConnection.Kubeconfig = f.override.ClientConnection.Kubeconfig },
		"leader-elect":                    func() { c.LeaderElection.LeaderElect = &f.leader },
		"leader-elect-resource-name":      func() { c.LeaderElection.ResourceName = f.override.LeaderElection.ResourceName },
		"leader-elect-resource-namespace": func() { c.LeaderElection.ResourceNamespace = f.override.LeaderElection.ResourceNamespace },
		"bind-address":                    func() { c.Serving.BindAddress = f.override.Serving.BindAddress },
		"secure-port":                     func() { c.Serving.Port = &f.port },
		"tls-cert-file":                   func() { c.Serving.CertFile = f.override.Serving.CertFile },
		"tls-private-key-file":            func() { c.Serving.KeyFile = f.override.Serving.KeyFile },
	}
	fs.Visit(func(flag *pflag.Flag) {
		if apply := set[flag.Name]; apply != nil {
			apply()
		}
	})
	if errs := c.Validate(); len(errs) > 0 {
		return nil, errs.ToAggregate()
	}
	return c, nil
}
