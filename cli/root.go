// Package cli is the command muster: jobs as their owners see them, whatever kind they
// are of. It knows the API server alone, and has no rights but those of who calls it.
package cli

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"

	"github.com/go-logr/logr"
	sparkv1beta2 "github.com/kubeflow/spark-operator/v2/api/v1beta2"
	kubeflow "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
)

// NewRoot returns the command, in the words of how it was called.
func NewRoot(called string) *cobra.Command {
	flags := genericclioptions.NewConfigFlags(true)
	root := &cobra.Command{
		Use:   "muster",
		Short: "Submit jobs, and see what becomes of them",
		Long: `muster submits Spark applications and TFJobs, shows where they are and why they wait,
and ends them. It speaks to the API server, with the kubeconfig, context and namespace
that kubectl would use.

A job is named NAME, or spark/NAME or tf/NAME where there is one of each kind.`,
		SilenceUsage: true, SilenceErrors: true,
	}
	if strings.HasPrefix(filepath.Base(called), "kubectl-") {
		root.Annotations = map[string]string{cobra.CommandDisplayNameAnnotation: "kubectl muster"}
	}
	flags.AddFlags(root.PersistentFlags())
	c := &caller{flags: flags}
	root.AddCommand(newSubmit(c), newJobs(c), newStatus(c), newLogs(c), newKill(c), newSuspend(c), newResume(c), newUI(c), newExplain(c), newQueues(c), newTop(c))
	return root
}

// caller is who calls, and where.
type caller struct {
	flags *genericclioptions.ConfigFlags
}

// cluster is a connection to one.
type cluster struct {
	client.WithWatch
	pods      kubernetes.Interface
	namespace string
}

func (c *caller) connect() (*cluster, error) {
	namespace, config, err := c.names()
	if err != nil {
		return nil, err
	}
	config.QPS = -1 // the API server has its own fairness
	config.Wrap(func(to http.RoundTripper) http.RoundTripper { return reached{to} })
	log.SetLogger(logr.Discard()) // the client complains of having none
	known, err := newScheme()
	if err != nil {
		return nil, err
	}
	objects, err := client.NewWithWatch(config, client.Options{Scheme: known})
	if err != nil {
		return nil, err
	}
	pods, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	return &cluster{objects, pods, namespace}, nil
}

// names is what the kubeconfig names: a namespace, and the API server.
func (c *caller) names() (string, *rest.Config, error) {
	namespace, _, err := c.flags.ToRawKubeConfigLoader().Namespace()
	if err != nil {
		return "", nil, fmt.Errorf("%w; name a kubeconfig with --kubeconfig or $KUBECONFIG", err)
	}
	config, err := c.flags.ToRESTConfig()
	if err != nil {
		return "", nil, fmt.Errorf("%w; name a kubeconfig with --kubeconfig or $KUBECONFIG", err)
	}
	return namespace, config, nil
}

// open returns the job that a user names, with its pods.
func (c *caller) open(ctx context.Context, named string) (*cluster, *job, []corev1.Pod, error) {
	on, err := c.connect()
	if err != nil {
		return nil, nil, nil, err
	}
	j, err := on.find(ctx, named)
	if err != nil {
		return nil, nil, nil, err
	}
	pods, err := on.podsOf(ctx, j)
	return on, j, pods, err
}

// newScheme knows all kinds of jobs, and what Kubernetes has.
func newScheme() (*runtime.Scheme, error) {
	known := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{scheme.AddToScheme, sparkv1beta2.AddToScheme, kubeflow.AddToScheme} {
		if err := add(known); err != nil {
			return nil, err
		}
	}
	return known, nil
}
