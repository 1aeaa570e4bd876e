package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	kubectl "k8s.io/kubectl/pkg/cmd"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	manager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"

	"muster.sh/muster/internal/localcluster/command"
	"muster.sh/muster/internal/localcluster/node"
	operators "muster.sh/muster/operators/run"
	muster "muster.sh/muster/scheduler/run"

	_ "k8s.io/component-base/metrics/prometheus/clientgo" // metrics of client-go in every program
	_ "k8s.io/component-base/metrics/prometheus/version"  // the kubernetes_build_info metric
)

// programs are the cluster's parts. Each takes the arguments after its name and
// returns the process's exit code. A command is only made when it is called:
// several of them change global state in making.
var programs = map[string]func(args []string) int{
	"etcd": func(args []string) int {
		etcdmain.Main(append([]string{"etcd"}, args...))
		return 0
	},
	"kube-apiserver":          func(args []string) int { return run(apiserver.NewAPIServerCommand(), args) },
	"kube-controller-manager": func(args []string) int { return run(manager.NewControllerManagerCommand(), args) },
	"kube-scheduler":          func(args []string) int { return run(scheduler.NewSchedulerCommand(), args) },
	"muster-scheduler":        func(args []string) int { return run(muster.NewCommand(), args) },
	"muster-operators":        func(args []string) int { return run(operators.NewCommand(), args) },
	node.InitCommand:          node.InitMain,
	"kubelet":                 func(args []string) int { return run(kubelet.NewKubeletCommand(context.Background()), args) },
	"kube-proxy":              func(args []string) int { return run(proxy.NewProxyCommand(), args) },
	"kubectl":                 func(args []string) int { return run(newKubectlCommand(), args) },
	"control-plane":           func(args []string) int { return run(newControlPlaneCommand(), args) },
	"kwok":                    func(args []string) int { return run(newKwokCommand(), args) },
}

func run(program *cobra.Command, args []string) int {
	program.SetArgs(args)
	return cli.Run(program)
}

// newKubectlCommand is kubectl, on the local cluster unless told otherwise.
func newKubectlCommand() *cobra.Command {
	if os.Getenv("KUBECONFIG") == "" {
		if path, err := command.DefaultKubeconfig(); err == nil {
			_ = os.Setenv("KUBECONFIG", path) // it only fails for bad names
		}
	}
	return kubectl.NewDefaultKubectlCommand()
}

// untilSignal returns a context that ends when the process is asked to stop.
func untilSignal() (context.Context, context.CancelFunc) {
	return signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
}
