package run

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/apiserver/pkg/server/healthz"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	config "muster.sh/muster/api/config/v1alpha1"
	"muster.sh/muster/scheduler/explain"
)

// Options are what is set on the command line alone.
type Options struct {
	// FeatureGates of kube-scheduler.
	FeatureGates map[string]bool
	// OpenPaths are served to everybody, beside health.
	OpenPaths []string
}

// Run schedules until the context ends. Any other end is an error, after which
// the process must end too.
func Run(ctx context.Context, c *config.SchedulerConfiguration, o Options) error {
	server, err := connect(&c.ClientConnection)
	if err != nil {
		return err
	}
	lock, server, err := fenceIn(&c.LeaderElection, server)
	if err != nil {
		return err
	}
	clients, err := newClients(server)
	if err != nil {
		return err
	}
	e, on, err := build(ctx, c, server, clients, o.FeatureGates)
	if err != nil {
		return err
	}
	ready, watchdog := make(chan struct{}), newWatchdog(&c.LeaderElection)
	if err := serve(ctx, &c.Serving, c.ClientConnection.Kubeconfig, slices.Concat(healthPaths, o.OpenPaths), e.pages(ready, watchdog)); err != nil {
		return err
	}
	if !e.sync(ctx, on) {
		return nil
	}
	close(ready)
	return e.compete(ctx, &c.LeaderElection, lock, watchdog)
}

// pages are what an engine serves.
func (e *engine) pages(ready <-chan struct{}, watchdog *leaderelection.HealthzAdaptor) pages {
	records := explain.Handler(e.loop, time.Now)
	p := pages{
		ready: []healthz.HealthChecker{synced(ready)},
		more: func(may authorizer.Authorizer) map[string]http.Handler {
			api := (&explain.API{
				Asker: e.loop, Leads: e.leads, MayList: mayListPods(may), Admits: newCallers(clock.RealClock{}).admits,
				Now: time.Now, Shape: shapeOf,
			}).Handler()
			return map[string]http.Handler{"/gangs": records, "/queues": records, "/v1/gangs": api, "/v1/queues": api, "/v1/whatif": api}
		},
	}
	if watchdog != nil {
		p.live = append(p.live, watchdog)
	}
	return p
}

// leads says whether this replica leads and has taken up what exists, and else who leads,
// as far as it knows.
func (e *engine) leads() (leader string, leads bool) {
	if identity := e.leader.Load(); identity != nil {
		leader = *identity
	}
	return leader, isClosed(e.recovered)
}

// sync reads what exists in the cluster, and reports false if the context ended
// before. A replica that does not lead keeps it up to date too, so that it can
// take over at once.
func (e *engine) sync(ctx context.Context, on cluster) bool {
	on.informers.StartWithContext(ctx)
	on.informers.WaitForCacheSyncWithContext(ctx)
	return e.kube.WaitForHandlersSync(ctx) == nil
}

// compete acts, once it is this replica's turn; at once where there is no lock.
func (e *engine) compete(ctx context.Context, c *config.LeaderElection, lock resourcelock.Interface, watchdog *leaderelection.HealthzAdaptor) error {
	if lock == nil {
		return e.act(ctx)
	}
	klog.FromContext(ctx).Info("Waiting to lead", "lease", c.ResourceNamespace+"/"+c.ResourceName, "identity", lock.Identity())
	return lead(ctx, c, lock, watchdog, func(identity string) { e.leader.Store(&identity) }, e.act)
}

// connect makes the configuration of clients. Built-in objects travel as
// protobuf, which is several times cheaper to read.
func connect(c *config.ClientConnection) (*rest.Config, error) {
	server, err := clientcmd.BuildConfigFromFlags("", c.Kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("find the API server: %w; give a kubeconfig file outside of a cluster", err)
	}
	server.QPS, server.Burst = c.QPS, int(c.Burst)
	server.UserAgent = "muster-scheduler"
	server.DisableCompression = true
	server.AcceptContentTypes = runtime.ContentTypeProtobuf + "," + runtime.ContentTypeJSON
	server.ContentType = runtime.ContentTypeProtobuf
	server.Wrap(func(next http.RoundTripper) http.RoundTripper { return countWrites{next} })
	return server, nil
}
