package run

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"k8s.io/apiserver/pkg/authorization/authorizer"
	genericfilters "k8s.io/apiserver/pkg/endpoints/filters"
	apirequest "k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/server"
	serverfilters "k8s.io/apiserver/pkg/server/filters"
	"k8s.io/apiserver/pkg/server/healthz"
	"k8s.io/apiserver/pkg/server/mux"
	serveroptions "k8s.io/apiserver/pkg/server/options"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/component-base/metrics/legacyregistry"

	config "muster.sh/muster/api/config/v1alpha1"
)

// pages are what is served.
type pages struct {
	// live fails when the process is of no use any more, ready while it can't
	// take over.
	live, ready []healthz.HealthChecker
	// more are further pages by the prefix of their path, for who can be asked what a
	// caller may do.
	more func(authorizer.Authorizer) map[string]http.Handler
}

// serve serves pages over HTTPS until the context ends, and returns once it
// listens. Who may see what is asked of the API server, but for health.
func serve(ctx context.Context, c *config.Serving, kubeconfig string, open []string, p pages) error {
	if *c.Port == 0 {
		return nil
	}
	secure := serveroptions.NewSecureServingOptions()
	secure.BindAddress, secure.BindPort = net.ParseIP(c.BindAddress), int(*c.Port)
	secure.ServerCert.CertKey = serveroptions.CertKey{CertFile: c.CertFile, KeyFile: c.KeyFile}
	// Without a folder a certificate is made in memory.
	secure.ServerCert.CertDirectory, secure.ServerCert.PairName = "", "muster-scheduler"
	if err := secure.MaybeDefaultWithSelfSignedCerts("localhost", nil, []net.IP{net.IPv4(127, 0, 0, 1)}); err != nil {
		return fmt.Errorf("make a certificate: %w", err)
	}
	var info *server.SecureServingInfo
	if err := secure.ApplyTo(&info); err != nil {
		return fmt.Errorf("listen on %s port %d: %w", c.BindAddress, *c.Port, err)
	}
	handler, err := guarded(p.handler, info, kubeconfig, open)
	if err != nil {
		return err
	}
	if _, _, err := info.Serve(handler, 5*time.Second, ctx.Done()); err != nil {
		return fmt.Errorf("serve health and metrics: %w", err)
	}
	return nil
}

func (p pages) handler(may authorizer.Authorizer) http.Handler {
	m := mux.NewPathRecorderMux("muster-scheduler")
	healthz.InstallHandler(m, p.live...)
	healthz.InstallLivezHandler(m, p.live...)
	healthz.InstallReadyzHandler(m, p.ready...)
	m.Handle("/metrics", legacyregistry.HandlerWithReset())
	for path, handler := range p.more(may) {
		m.Handle(path, handler)
		m.HandlePrefix(path+"/", handler)
	}
	return m
}

// guarded asks the API server who a caller is, by its bearer token, and
// whether it may see a path. It reads no ConfigMap of the cluster for that.
func guarded(pages func(authorizer.Authorizer) http.Handler, info *server.SecureServingInfo, kubeconfig string, open []string) (http.Handler, error) {
	authentication := serveroptions.NewDelegatingAuthenticationOptions()
	authentication.RemoteKubeConfigFile, authentication.SkipInClusterLookup = kubeconfig, true
	var who server.AuthenticationInfo
	if err := authentication.ApplyTo(&who, info, nil); err != nil {
		return nil, fmt.Errorf("authentication of callers: %w", err)
	}
	authorization := serveroptions.NewDelegatingAuthorizationOptions().WithAlwaysAllowPaths(open...)
	authorization.RemoteKubeConfigFile = kubeconfig
	var may server.AuthorizationInfo
	if err := authorization.ApplyTo(&may); err != nil {
		return nil, fmt.Errorf("authorization of callers: %w", err)
	}
	resolver := &apirequest.RequestInfoFactory{}
	handler := genericfilters.WithAuthorization(pages(may.Authorizer), may.Authorizer, scheme.Codecs)
	handler = genericfilters.WithAuthentication(handler, who.Authenticator, genericfilters.Unauthorized(scheme.Codecs), nil, nil)
	handler = genericfilters.WithRequestInfo(handler, resolver)
	handler = genericfilters.WithCacheControl(handler)
	return serverfilters.WithPanicRecovery(handler, resolver), nil
}

// healthPaths may be read by anybody who reaches the port.
var healthPaths = []string{"/healthz", "/livez", "/readyz"}

// synced is ready as soon as done is closed.
func synced(done <-chan struct{}) healthz.HealthChecker {
	return healthz.NamedCheck("informers-synced", func(*http.Request) error {
		if !isClosed(done) {
			return errors.New("what exists in the cluster is still being read")
		}
		return nil
	})
}

// watchdogTimeout is how long after its lease has run out a leader that still
// runs counts as dead.
const watchdogTimeout = 20 * time.Second

func newWatchdog(c *config.LeaderElection) *leaderelection.HealthzAdaptor {
	if !*c.LeaderElect {
		return nil
	}
	return leaderelection.NewLeaderHealthzAdaptor(watchdogTimeout)
}
