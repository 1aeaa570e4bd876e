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
	"muster.sh/muster/internal/configflags"
)

// flags are what the command line sets over the configuration file. Names that
// muster-scheduler has too mean the same.
type flags struct {
	shared      configflags.Flags
	controllers []string
	healthPort  int32
	logFormat   string
	logLevel    slog.Level
}

// NewCommand returns the command muster-operators.
func NewCommand() *cobra.Command {
	f := &flags{}
	cmd := &cobra.Command{
		Use:   "muster-operators",
		Short: "Runs SparkApplications and TFJobs as pods on Kubernetes",
		Long: `muster-operators makes pods and services of the jobs that users declare, starts
them anew when they fail, and cleans up after them. Controllers:

  spark        SparkApplication and ScheduledSparkApplication of sparkoperator.k8s.io/v1beta2,
               SparkConnect of sparkoperator.k8s.io/v1alpha1
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
	f.shared.Add(fs, configflags.Defaults{Lease: "muster-operators", Port: 10264, Serves: "metrics"})
	fs.StringSliceVar(&f.controllers, "controllers", nil, fmt.Sprintf("controllers that run, of %v (default: all)", config.Controllers))
	fs.Int32Var(&f.healthPort, "health-port", 0, "port on which health is served over HTTP; 0 serves nothing (default 10265)")
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
	if f.shared.File != "" {
		var err error
		if c, err = config.LoadOperators(f.shared.File); err != nil {
			return nil, err
		}
	}
	over := configflags.Set{Client: &c.ClientConnection, Election: &c.LeaderElection, Serving: &c.Serving}
	f.shared.Apply(fs, over, map[string]func(){
		"controllers": func() { c.Controllers = names(f.controllers) },
		"health-port": func() { c.HealthPort = &f.healthPort },
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
