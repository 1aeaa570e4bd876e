// Package controlplane runs etcd, kube-apiserver and kube-controller-manager in
// one process. That costs about half the memory of three, and starts faster.
//
// The components' own commands cannot share a process, since each of them
// installs the signal handler, which may be done once. So this package parses
// the same flags into the components' options and calls their Run functions.
package controlplane

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/pflag"
	"go.etcd.io/etcd/server/v3/embed"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/client-go/rest"
	cliflag "k8s.io/component-base/cli/flag"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	apiserveroptions "k8s.io/kubernetes/cmd/kube-apiserver/app/options"
	manager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	manageroptions "k8s.io/kubernetes/cmd/kube-controller-manager/app/options"
)

// Args are the command lines of the three components, without their names.
type Args struct {
	Etcd              []string
	APIServer         []string
	ControllerManager []string
}

// etcdStartTimeout bounds etcd's start: replaying a large log takes a while.
const etcdStartTimeout = 2 * time.Minute

// Run runs the three components until ctx ends or one of them does, and stops
// them in the reverse order of starting: an API server whose etcd is gone hangs
// in its shutdown.
func Run(ctx context.Context, args Args) error {
	rest.SetDefaultWarningHandler(rest.NoWarnings{}) // the components' own requests need no advice
	apiOptions, err := parseAPIServer(args.APIServer)
	if err != nil {
		return fmt.Errorf("kube-apiserver: %w", err)
	}
	managerOptions, err := parseControllerManager(args.ControllerManager)
	if err != nil {
		return fmt.Errorf("kube-controller-manager: %w", err)
	}
	// Both components' flags set feature gates in this one registry.
	if err := apiOptions.GenericServerRunOptions.ComponentGlobalsRegistry.Set(); err != nil {
		return fmt.Errorf("set feature gates: %w", err)
	}
	etcd, err := startEtcd(ctx, args.Etcd)
	if err != nil {
		return fmt.Errorf("etcd: %w", err)
	}
	defer etcd.Close()

	api := start(ctx, func(ctx context.Context) error { return runAPIServer(ctx, apiOptions) })
	defer func() { _ = api.stop() }() // a second stop tells the same
	if err := awaitAPIServer(ctx, managerOptions, api); err != nil {
		return errors.Join(err, api.stop())
	}
	controllers := start(ctx, func(ctx context.Context) error { return runControllerManager(ctx, managerOptions) })

	select {
	case <-ctx.Done():
	case <-api.done:
		err = errors.New("kube-apiserver ended by itself")
	case <-controllers.done:
		err = errors.New("kube-controller-manager ended by itself")
	case failure := <-etcd.Err():
		err = fmt.Errorf("etcd: %w", failure)
	}
	return errors.Join(err, controllers.stop(), api.stop())
}

func parseAPIServer(args []string) (*apiserveroptions.ServerRunOptions, error) {
	options := apiserveroptions.NewServerRunOptions()
	return options, parse("kube-apiserver", options.Flags(), args)
}

func runAPIServer(ctx context.Context, options *apiserveroptions.ServerRunOptions) error {
	completed, err := options.Complete(ctx)
	if err != nil {
		return fmt.Errorf("kube-apiserver: complete options: %w", err)
	}
	if errs := completed.Validate(); len(errs) > 0 {
		return fmt.Errorf("kube-apiserver: %w", utilerrors.NewAggregate(errs))
	}
	if err := apiserver.Run(ctx, completed); err != nil {
		return fmt.Errorf("kube-apiserver: %w", err)
	}
	return nil
}

func parseControllerManager(args []string) (*manageroptions.KubeControllerManagerOptions, error) {
	options, err := manageroptions.NewKubeControllerManagerOptions()
	if err != nil {
		return nil, err
	}
	flags := options.Flags(manager.KnownControllers(), manager.ControllersDisabledByDefault(), manager.ControllerAliases())
	return options, parse("kube-controller-manager", flags, args)
}

func runControllerManager(ctx context.Context, options *manageroptions.KubeControllerManagerOptions) error {
	config, err := options.Config(ctx, manager.KnownControllers(), manager.ControllersDisabledByDefault(), manager.ControllerAliases())
	if err != nil {
		return fmt.Errorf("kube-controller-manager: %w", err)
	}
	if err := manager.Run(ctx, config.Complete()); err != nil {
		return fmt.Errorf("kube-controller-manager: %w", err)
	}
	return nil
}

func startEtcd(ctx context.Context, args []string) (*embed.Etcd, error) {
	flags := pflag.NewFlagSet("etcd", pflag.ContinueOnError)
	file := flags.String("config-file", "", "etcd's configuration file")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	config, err := embed.ConfigFromFile(*file)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	etcd, err := embed.StartEtcd(config)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, etcdStartTimeout)
	defer cancel()
	select {
	case <-etcd.Server.ReadyNotify():
		return etcd, nil
	case err = <-etcd.Err():
	case <-etcd.Server.StopNotify():
		err = errors.New("stopped while starting")
	case <-ctx.Done():
		err = fmt.Errorf("not ready: %w", ctx.Err())
	}
	etcd.Close()
	return nil, err
}

func parse(name string, sections cliflag.NamedFlagSets, args []string) error {
	flags := pflag.NewFlagSet(name, pflag.ContinueOnError)
	for _, section := range sections.FlagSets {
		flags.AddFlagSet(section)
	}
	return flags.Parse(args)
}
