package localcluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"

	"muster.sh/muster/internal/localcluster/guest"
	"muster.sh/muster/internal/localcluster/network"
	"muster.sh/muster/internal/localcluster/toolchain"
)

// Cluster is a running cluster, owned by this process.
type Cluster struct {
	spec  Spec
	paths layout
	lock  *os.File
	plan  *blueprint
	start starter // of components: on the host or in the hub
	units []*unit // in the order of starting
	// controlPlane are the units that etcd, API server and controller manager are.
	controlPlane []string
	tools        toolchain.Paths // what is not in muster-local
	hub          *network.Hub    // nil without real nodes
	nodes        []*realNode
	guests       []*guest.Guest
	client       kubernetes.Interface
	config       *rest.Config
	steps        *steps

	stateMu sync.Mutex
	state   State

	closeOnce sync.Once
	closeErr  error
}

// Up starts a cluster and returns when all of it serves. Its processes are
// children of this one. On an error nothing is left running.
func Up(ctx context.Context, spec Spec) (*Cluster, error) {
	spec.setDefaults()
	if err := spec.validate(); err != nil {
		return nil, fmt.Errorf("local cluster: %w", err)
	}
	c, err := open(spec)
	if err != nil {
		return nil, fmt.Errorf("local cluster: %w", err)
	}
	if err := c.up(ctx); err != nil {
		c.steps.redirect(c.spec.Progress)
		return nil, errors.Join(fmt.Errorf("local cluster: %w", err), c.Close())
	}
	return c, nil
}

// open takes possession of the cluster's folder.
func open(spec Spec) (*Cluster, error) {
	if spec.Dir == "" {
		dir, err := os.MkdirTemp("", "muster-local-")
		if err != nil {
			return nil, fmt.Errorf("make cluster folder: %w", err)
		}
		spec.Dir = dir
	}
	dir, err := filepath.Abs(spec.Dir)
	if err != nil {
		return nil, fmt.Errorf("cluster folder: %w", err)
	}
	spec.Dir = dir
	paths := layout{dir: dir}
	if err := paths.create(); err != nil {
		return nil, err
	}
	lock, err := takeLock(paths.lock())
	if err != nil {
		return nil, err
	}
	state, err := readState(paths)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	if err := spec.validateChange(state); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	state.Spec, state.Notes = spec, nil
	if state.Owner, err = ownerOf(os.Getpid()); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	c := &Cluster{spec: spec, paths: paths, lock: lock, state: state, steps: newSteps(spec.Progress)}
	if err := c.saveState(); err != nil { // from now on Shutdown finds the owner
		return nil, errors.Join(err, lock.Close())
	}
	return c, nil
}

func (c *Cluster) up(ctx context.Context) error {
	objects, err := c.spec.objects() // what can't be read is better known before anything starts
	if err != nil {
		return err
	}
	binary, err := c.findBinary(ctx)
	if err != nil {
		return err
	}
	if err := c.buildControlPlane(ctx); err != nil {
		return err
	}
	c.start = hostStarter()
	where := addresses{bind: loopback}
	if c.spec.Nodes > 0 {
		if where, err = c.buildNetwork(ctx); err != nil {
			return err
		}
		c.start = c.hub.Start
	}
	c.plan = &blueprint{spec: c.spec, tools: c.tools, paths: c.paths, net: where, ports: c.state.Ports, binary: binary}
	if err := c.plan.lay(); err != nil {
		return err
	}
	base, rest, err := c.plan.components()
	if err != nil {
		return err
	}
	for _, part := range base {
		c.controlPlane = append(c.controlPlane, part.name)
		if err := c.steps.run(ctx, part.name, c.add(part).up); err != nil {
			return err
		}
	}
	if err := c.connect(ctx); err != nil {
		return err
	}
	if err := c.removeSurplusNodes(ctx); err != nil {
		return err
	}
	if len(objects) > 0 {
		apply := func(ctx context.Context) error { return c.Apply(ctx, objects...) }
		if err := c.steps.run(ctx, "manifests", apply); err != nil {
			return err
		}
	}
	if err := c.startRest(ctx, rest); err != nil {
		return err
	}
	c.steps.redirect(c.spec.Progress) // no more moving lines
	return c.saveState()
}

// startRest starts what needs only the API server, all at the same time.
func (c *Cluster) startRest(ctx context.Context, parts []component) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, part := range parts {
		start := c.add(part).up
		group.Go(func() error { return c.steps.run(ctx, part.name, start) })
	}
	if c.spec.SimNodes > 0 {
		group.Go(func() error {
			name := fmt.Sprintf("%d simulated nodes", c.spec.SimNodes)
			return c.steps.run(ctx, name, c.fillSimNodes)
		})
	}
	if c.spec.Nodes > 0 {
		group.Go(func() error { return c.startNodes(ctx) })
	}
	return group.Wait()
}

func (c *Cluster) add(part component) *unit {
	u := &unit{component: part, logFile: c.paths.log(part.name), start: c.start, logf: c.steps.logf, changed: c.noteChange}
	c.units = append(c.units, u)
	return u
}

// noteChange keeps the state file true when a component was started again.
func (c *Cluster) noteChange() {
	if err := c.saveState(); err != nil {
		c.steps.logf("%v", err)
	}
}

func (c *Cluster) connect(ctx context.Context) error {
	config, err := loadKubeconfig(c.Kubeconfig())
	if err != nil {
		return err
	}
	c.config = config
	c.client, err = kubernetes.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("make client: %w", err)
	}
	return c.awaitServiceAccount(ctx)
}

// awaitServiceAccount waits until pods can be made in the default namespace:
// they are refused while its service account is missing.
func (c *Cluster) awaitServiceAccount(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	accounts := cache.NewListWatchFromClient(c.client.CoreV1().RESTClient(), "serviceaccounts",
		metav1.NamespaceDefault, fields.OneTermEqualSelector("metadata.name", "default"))
	_, err := watchtools.UntilWithSync(ctx, accounts, &corev1.ServiceAccount{}, nil,
		func(watch.Event) (bool, error) { return true, nil })
	if err != nil {
		return fmt.Errorf("wait for the default service account: %w", err)
	}
	return nil
}

// Kubeconfig is the path of the administrator's kubeconfig.
func (c *Cluster) Kubeconfig() string { return c.paths.kubeconfig("admin") }

// RESTConfig is a copy of the administrator's client configuration; its client
// side is not throttled.
func (c *Cluster) RESTConfig() *rest.Config { return rest.CopyConfig(c.config) }

// Client is an administrator's client, shared by all callers.
func (c *Cluster) Client() kubernetes.Interface { return c.client }

// SetProgress has what happens from now on told elsewhere, a line each.
func (c *Cluster) SetProgress(out io.Writer) { c.steps.redirect(out) }

// Dir is the folder with the cluster's state.
func (c *Cluster) Dir() string { return c.paths.dir }

// AuditLogPath is the API server's audit log: JSON, one event a line, every
// write the API server acknowledged. It is only written with Spec.AuditLog.
func (c *Cluster) AuditLogPath() string { return c.paths.auditLog() }

// LogPath is the file with a component's output.
func (c *Cluster) LogPath(name string) string { return c.paths.log(name) }

// Command is the command line of a component.
func (c *Cluster) Command(name string) ([]string, error) {
	u, err := c.unit(name)
	if err != nil {
		return nil, err
	}
	return append([]string{u.binary}, u.args...), nil
}

// Config is the content of a component's configuration file; empty if it has none.
func (c *Cluster) Config(name string) (string, error) {
	content, err := os.ReadFile(c.paths.configFile(name))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read configuration of %s: %w", name, err)
	}
	return string(content), nil
}

// SetConfig replaces the configuration file of a component that has one. It is read
// when the component starts the next time.
func (c *Cluster) SetConfig(name, content string) error {
	path := c.paths.configFile(name)
	if _, err := os.Stat(path); err != nil {
		return fmt.Errorf("%s has no configuration to replace: %w", name, err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		return fmt.Errorf("replace configuration of %s: %w", name, err)
	}
	return nil
}

// Components are the names that Kill, Start and LogPath take, in the order of
// starting.
func (c *Cluster) Components() []string {
	names := make([]string, len(c.units))
	for i, u := range c.units {
		names[i] = u.name
	}
	return names
}

// ControlPlane are the components that etcd, API server and controller manager run
// in, in the order of starting: one, or three.
func (c *Cluster) ControlPlane() []string { return slices.Clone(c.controlPlane) }

// PID is the process number of a component, or zero when it is down.
func (c *Cluster) PID(name string) (int, error) {
	u, err := c.unit(name)
	if err != nil {
		return 0, err
	}
	return u.pid(), nil
}

// Kill ends a component by SIGKILL. It stays down until Start; a component
// that ends in any other way is started again after a second or more.
func (c *Cluster) Kill(name string) error {
	u, err := c.unit(name)
	if err != nil {
		return err
	}
	u.kill()
	return c.saveState()
}

// Stop ends a component by SIGTERM, and waits until it is gone. It stays down
// until Start.
func (c *Cluster) Stop(name string) error {
	u, err := c.unit(name)
	if err != nil {
		return err
	}
	u.down()
	return c.saveState()
}

// Start starts a component that is down, with the ports and state it had, and
// waits until it is ready. It does nothing to one that runs.
func (c *Cluster) Start(ctx context.Context, name string) error {
	u, err := c.unit(name)
	if err != nil {
		return err
	}
	if err := u.up(ctx); err != nil {
		return err
	}
	return c.saveState()
}

// Restart stops a component and starts it again.
func (c *Cluster) Restart(ctx context.Context, name string) error {
	if err := c.Stop(name); err != nil {
		return err
	}
	return c.Start(ctx, name)
}

func (c *Cluster) unit(name string) (*unit, error) {
	i := slices.IndexFunc(c.units, func(u *unit) bool { return u.name == name })
	if i < 0 {
		return nil, fmt.Errorf("no component is called %q; there are %v (etcd, kube-apiserver and kube-controller-manager have processes of their own with SeparateProcesses)", name, c.Components())
	}
	return c.units[i], nil
}

// Close ends the cluster. With Spec.Keep the components are stopped in order,
// etcd last, and the state stays; without it nothing is worth saving, so they
// are killed and the state is removed. Closing twice does nothing more.
func (c *Cluster) Close() error {
	c.closeOnce.Do(func() { c.closeErr = c.close() })
	return c.closeErr
}

func (c *Cluster) close() error {
	errs := []error{c.stopNodes(), c.stopGuests()}
	for _, u := range slices.Backward(c.units) {
		if !c.spec.Keep {
			u.kill()
			continue
		}
		_ = c.steps.run(context.Background(), "stop "+u.name, func(context.Context) error {
			u.down()
			return nil
		})
	}
	if c.hub != nil {
		errs = append(errs, c.hub.Close())
	}
	if c.spec.Keep {
		c.state.Owner = Owner{} // this process may live on
		errs = append(errs, c.saveState())
	} else {
		errs = append(errs, c.paths.remove())
	}
	return errors.Join(append(errs, c.lock.Close())...)
}
