package run

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"strconv"

	"k8s.io/apimachinery/pkg/runtime"
	kubernetes "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/metrics/filters"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	config "muster.sh/muster/api/config/v1alpha1"
)

// Run runs the controllers until the context ends.
func Run(ctx context.Context, c *config.OperatorsConfiguration) error {
	boundGarbage()
	server, err := connect(&c.ClientConnection)
	if err != nil {
		return err
	}
	scheme := runtime.NewScheme()
	if err := kubernetes.AddToScheme(scheme); err != nil {
		return err
	}
	mgr, err := ctrl.NewManager(server, managerOptions(c, scheme))
	if err != nil {
		return fmt.Errorf("connect to the API server: %w", err)
	}
	for _, name := range c.Controllers {
		if err := controllers[name](mgr, c); err != nil {
			return fmt.Errorf("start controller %s: %w", name, err)
		}
	}
	if err := mgr.AddHealthzCheck("ping", healthz.Ping); err != nil {
		return err
	}
	if err := mgr.AddReadyzCheck("ping", healthz.Ping); err != nil {
		return err
	}
	return mgr.Start(ctx)
}

func managerOptions(c *config.OperatorsConfiguration, scheme *runtime.Scheme) ctrl.Options {
	l := &c.LeaderElection
	return ctrl.Options{
		Scheme:  scheme,
		Metrics: metricsOptions(&c.Serving),

		HealthProbeBindAddress: address(c.Serving.BindAddress, *c.HealthPort),

		LeaderElection:          *l.LeaderElect,
		LeaderElectionID:        l.ResourceName,
		LeaderElectionNamespace: l.ResourceNamespace,
		LeaseDuration:           &l.LeaseDuration.Duration,
		RenewDeadline:           &l.RenewDeadline.Duration,
		RetryPeriod:             &l.RetryPeriod.Duration,
		// Run returns only when nothing is written any more.
		LeaderElectionReleaseOnCancel: true,
	}
}

func metricsOptions(s *config.Serving) metricsserver.Options {
	o := metricsserver.Options{
		BindAddress: address(s.BindAddress, *s.Port), SecureServing: true,
		FilterProvider: filters.WithAuthenticationAndAuthorization,
	}
	if s.CertFile != "" {
		// The key may lie in another folder than the certificate.
		key, err := filepath.Rel(filepath.Dir(s.CertFile), s.KeyFile)
		if err != nil {
			key = s.KeyFile
		}
		o.CertDir, o.CertName, o.KeyName = filepath.Dir(s.CertFile), filepath.Base(s.CertFile), key
	}
	return o
}

// address is where to listen; "0" means nowhere.
func address(host string, port int32) string {
	if port == 0 {
		return "0"
	}
	return net.JoinHostPort(host, strconv.Itoa(int(port)))
}

// connect makes the configuration of clients.
func connect(c *config.ClientConnection) (*rest.Config, error) {
	server, err := clientcmd.BuildConfigFromFlags("", c.Kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("find the API server: %w; give a kubeconfig file outside of a cluster", err)
	}
	server.QPS, server.Burst = c.QPS, int(c.Burst)
	server.UserAgent = "muster-operators"
	return server, nil
}
