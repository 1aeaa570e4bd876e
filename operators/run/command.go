package run

import (
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"

	config "muster.sh/muster/api/config/v1alpha1"
)

// flags are what the command line sets over the configuration file. Names that
// muster-scheduler has too mean the same.
type flags struct {
	file        string
	controllers []string
	leader      bool
	port        int32
	healthPort  int32
	override    config.OperatorsConfiguration
	logFormat   string
	logLevel    slog.Level
}

// NewCommand returns the command muster-operators.
func NewCommand() *cobra.Command {
	f := &flags{}
	cmd := &cobra.Command{
		Use:   "muster-operators",
		Short: "Runs jobs of machine learning frameworks as pods on Kubernetes",
		Long: `muster-operators makes pods and services of the jobs that users declare, starts
them anew when they fail, and cleans up after them. Controllers:

  tensorflow   TFJob of kubeflow.org/v1

It is configured by a file (apiVersion config.muster.sh/v1alpha1, kind
OperatorsConfiguration); flags win over the file.`,
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
	fs.StringSliceVar(&f.controllers, "controllers", nil, fmt.Sprintf("controllers that run, of %v (default: all)", config.Controllers))
	fs.StringVar(&o.ClientConnection.Kubeconfig, "kubeconfig", "", "path of a kubeconfig file; without one the pod's service account is used")
	fs.BoolVar(&f.leader, "leader-elect", true, "act only while holding the lease, so that several replicas may run")
	fs.StringVar(&o.LeaderElection.ResourceName, "leader-elect-resource-name", "", "name of the lease (default muster-operators)")
	fs.StringVar(&o.LeaderElection.ResourceNamespace, "leader-elect-resource-namespace", "", "namespace of the lease (default kube-system)")
	fs.StringVar(&o.Serving.BindAddress, "bind-address", "", "IP address on which health and metrics are served (default 127.0.0.1)")
	fs.Int32Var(&f.port, "secure-port", 0, "port on which metrics are served over HTTPS; 0 serves nothing (default 10264)")
	fs.Int32Var(&f.healthPort, "health-port", 0, "port on which health is served over HTTP; 0 serves nothing (default 10265)")
	fs.StringVar(&o.Serving.CertFile, "tls-cert-file", "", "certificate of the secure port; without one it is made at every start")
	fs.StringVar(&o.Serving.KeyFile, "tls-private-key-file", "", "key of that certificate")
	fs.StringVar(&f.logFormat, "logging-format", "text", "text or json")
	fs.TextVar(&f.logLevel, "log-level", slog.LevelInfo, "DEBUG, INFO, WARN or ERROR")
}

func (f *flags) run(cmd *cobra.Command) error {
	if err := f.setLogger(); err != nil {
		return err
	}
	c, err := f.configuration(cmd.Flags())
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	return Run(ctx, c)
}

// setLogger has the libraries write into one log.
func (f *flags) setLogger() error {
	options := &slog.HandlerOptions{Level: f.logLevel}
	var handler slog.Handler
	switch f.logFormat {
	case "text":
		handler = slog.NewTextHandler(os.Stderr, options)
	case "json":
		handler = slog.NewJSONHandler(os.Stderr, options)
	default:
		return fmt.Errorf("--logging-format %q: must be text or json", f.logFormat)
	}
	logger := logr.FromSlogHandler(handler)
	ctrl.SetLogger(logger)
	klog.SetLogger(logger)
	return nil
}

// configuration reads the file and sets the flags over it.
func (f *flags) configuration(fs *pflag.FlagSet) (*config.OperatorsConfiguration, error) {
	c := config.NewOperatorsConfiguration()
	if f.file != "" {
		var err error
		if c, err = config.LoadOperators(f.file); err != nil {
			return nil, err
		}
	}
	set := map[string]func(){
		"controllers":                     func() { c.Controllers = names(f.controllers) },
		"kubeconfig":                      func() { c.ClientConnection.Kubeconfig = f.override.ClientConnection.Kubeconfig },
		"leader-elect":                    func() { c.LeaderElection.LeaderElect = &f.leader },
		"leader-elect-resource-name":      func() { c.LeaderElection.ResourceName = f.override.LeaderElection.ResourceName },
		"leader-elect-resource-namespace": func() { c.LeaderElection.ResourceNamespace = f.override.LeaderElection.ResourceNamespace },
		"bind-address":                    func() { c.Serving.BindAddress = f.override.Serving.BindAddress },
		"secure-port":                     func() { c.Serving.Port = &f.port },
		"health-port":                     func() { c.HealthPort = &f.healthPort },
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

func names(given []string) []config.Controller {
	all := make([]config.Controller, len(given))
	for i, name := range given {
		all[i] = config.Controller(name)
	}
	return all
}
