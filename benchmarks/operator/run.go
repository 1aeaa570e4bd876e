package operator

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/kubeflow/spark-operator/v2/api/v1beta2"
	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/runtime"
	kubernetes "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"muster.sh/muster/benchmarks/audit"
	"muster.sh/muster/benchmarks/meter"
	"muster.sh/muster/internal/localcluster"
)

// Run is one operator with its work, on a cluster of its own.
type Run struct {
	Operator Operator
	// Applications are created all at once, and measured, while Live others run.
	Applications, Live int
	// Timeout bounds each step, such as the submission of all.
	Timeout time.Duration
	// Progress is told what happens.
	Progress io.Writer
}

// Figures are what came of a run.
type Figures struct {
	// Accepted is the time from the first creation until all applications were submitted, of
	// those whose drivers find no node: nothing else of them keeps the machine busy.
	Accepted time.Duration
	// Submitted is the time from the first creation until all applications said that they
	// were submitted, and had a driver; Ended until all had ended.
	Submitted, Ended time.Duration
	// SubmitCPU and CPU are what the operator and all that it starts have used until then.
	SubmitCPU, CPU time.Duration
	// Resident and Anonymous are the most memory of the operator and all that it starts.
	Resident, Anonymous int64
	// Writes, without events, and Events are what the operator wrote for an application.
	Writes, Events float64
	// LagP50 and LagP99 are by how much the status of applications was behind the phase of
	// their drivers, when these began to run and when they ended.
	LagP50, LagP99 time.Duration
	// Unowned counts objects that nobody owns while applications are there, Left what is
	// there after all have been deleted, both by kind.
	Unowned, Left map[string]int
}

const (
	nodeShape = "cpu=110,memory=440Gi,pods=110"
	nodePods  = 110
	// requests is how many create or delete applications at a time.
	requests = 16
)

// Do does it. Where a step fails, the figures are those of the steps before it.
func (r Run) Do(ctx context.Context) (f Figures, err error) {
	dir, err := os.MkdirTemp("", "muster-bench-")
	if err != nil {
		return f, err
	}
	defer os.RemoveAll(dir)
	cluster, err := r.up(ctx, dir)
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, cluster.Close()) }()
	if r.Operator.Ready != nil {
		if err := r.Operator.Ready(ctx, cluster, dir); err != nil {
			return f, fmt.Errorf("set up %s: %w", r.Operator.Name, err)
		}
	}
	watching, stop := context.WithCancel(ctx)
	defer stop()
	m, err := r.begin(watching, cluster)
	if err != nil {
		return f, err
	}
	for _, step := range m.steps() {
		began := time.Now()
		limited, cancel := context.WithTimeout(watching, r.Timeout)
		err := step.do(limited)
		cancel()
		if err != nil {
			return m.figures, fmt.Errorf("%s: %w; the end of the operator's log:\n%s", step.what, err, m.logEnd())
		}
		fmt.Fprintf(r.Progress, "%7.1f s  %s\n", time.Since(began).Seconds(), step.what)
	}
	return m.figures, nil
}

// step is a part of a run, with what it does in words.
type step struct {
	what string
	do   func(context.Context) error
}

func (m *measured) steps() []step {
	return []step{
		{fmt.Sprintf("let %d applications run", m.Live), m.fill},
		{fmt.Sprintf("submit %d and let them end", m.Applications), m.measure},
		{fmt.Sprintf("submit %d whose drivers find no node", m.Applications), m.submitWaiting},
		{"look for owners", m.checkOwners},
		{"delete all and see what stays", m.checkRest},
	}
}

func (r Run) up(ctx context.Context, dir string) (*localcluster.Cluster, error) {
	shape, err := localcluster.ParseShape(nodeShape)
	if err != nil {
		return nil, err
	}
	spec := localcluster.Spec{
		Dir: filepath.Join(dir, "cluster"), SimNodes: 1 + podsEach*(r.Applications+r.Live)/nodePods, SimNodeShape: shape,
		SparkActor: true, AuditLog: true, SeparateProcesses: true, Progress: r.Progress,
	}
	if err := r.Operator.Setup(ctx, &spec, dir); err != nil {
		return nil, fmt.Errorf("set up %s: %w", r.Operator.Name, err)
	}
	return localcluster.Up(ctx, spec)
}

// measured is a run on its cluster.
type measured struct {
	Run
	cluster  *localcluster.Cluster
	client   client.Client
	observer *observer
	stock    *inventory
	pid      int
	figures  Figures
}

func (r Run) begin(ctx context.Context, cluster *localcluster.Cluster) (*measured, error) {
	m := &measured{Run: r, cluster: cluster}
	if err := makeTenants(ctx, cluster.Client()); err != nil {
		return nil, err
	}
	scheme := runtime.NewScheme()
	err := errors.Join(kubernetes.AddToScheme(scheme), v1beta2.AddToScheme(scheme))
	if err != nil {
		return nil, err
	}
	if m.client, err = client.New(cluster.RESTConfig(), client.Options{Scheme: scheme}); err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
	}
	if m.stock, err = takeInventory(ctx, cluster.RESTConfig()); err != nil {
		return nil, err
	}
	if m.observer, err = observe(ctx, cluster.RESTConfig(), scheme); err != nil {
		return nil, err
	}
	m.pid, err = cluster.PID(r.Operator.Component)
	return m, err
}

// fill lets the live applications run.
func (m *measured) fill(ctx context.Context) error {
	if err := m.create(ctx, kindLive, m.Live, forever); err != nil {
		return err
	}
	_, err := m.observer.await(ctx, kindLive, m.Live, running)
	return err
}

// create creates applications, many at a time.
func (m *measured) create(ctx context.Context, kind string, n int, works time.Duration) error {
	return each(ctx, n, func(ctx context.Context, i int) error {
		app := application(kind, i, works)
		if err := m.client.Create(ctx, app); err != nil {
			return fmt.Errorf("create %s: %w", app.Name, err)
		}
		return nil
	})
}

// each does something n times, many at a time.
func each(ctx context.Context, n int, do func(context.Context, int) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(requests)
	for i := range n {
		group.Go(func() error { return do(ctx, i) })
	}
	return group.Wait()
}

// measure creates the applications that are measured, and lets them run to their end.
func (m *measured) measure(ctx context.Context) error {
	writes, events, err := m.writes()
	if err != nil {
		return err
	}
	before, err := meter.Tree(m.pid)
	if err != nil {
		return err
	}
	watching, stop := context.WithCancel(ctx)
	defer stop()
	peak := meter.WatchPeak(watching, m.pid)
	began, f := time.Now(), &m.figures
	if err := m.create(ctx, kindMeasured, m.Applications, work); err != nil {
		return err
	}
	if f.Submitted, f.SubmitCPU, err = m.await(ctx, submitted, began, before); err != nil {
		return err
	}
	if f.Ended, f.CPU, err = m.await(ctx, ended, began, before); err != nil {
		return err
	}
	f.Resident, f.Anonymous = peak.Memory()
	lag := lags(m.observer.seen(kindMeasured))
	f.LagP50, f.LagP99 = quantile(lag, .5), quantile(lag, .99)
	writesNow, eventsNow, err := m.writes()
	n := float64(m.Applications)
	f.Writes, f.Events = float64(writesNow-writes)/n, float64(eventsNow-events)/n
	return err
}

// submitWaiting creates applications that get no further than their submission.
func (m *measured) submitWaiting(ctx context.Context) error {
	began := time.Now()
	if err := m.create(ctx, kindWaiting, m.Applications, work); err != nil {
		return err
	}
	last, err := m.observer.await(ctx, kindWaiting, m.Applications, submitted)
	m.figures.Accepted = last.Sub(began)
	return err
}

// await waits for a milestone, and returns how long that took and what it has cost.
func (m *measured) await(ctx context.Context, to milestone, began time.Time, before meter.Use) (took, cpu time.Duration, err error) {
	last, err := m.observer.await(ctx, kindMeasured, m.Applications, to)
	if err != nil {
		return 0, 0, err
	}
	now, err := meter.Tree(m.pid)
	return last.Sub(began), now.CPU - before.CPU, err
}

// writes counts what the operator has written so far.
func (m *measured) writes() (writes, events int, err error) {
	log, err := audit.Open(m.cluster.AuditLogPath())
	if err != nil {
		return 0, 0, err
	}
	own := func(w audit.Write) bool { return slices.Contains(m.Operator.Users, w.User) }
	counts := audit.Writes(log)
	return counts.All.Sum(own).Done, counts.Events.Sum(own).Done, nil
}

func (m *measured) checkOwners(ctx context.Context) (err error) {
	m.figures.Unowned, err = m.stock.unowned(ctx)
	return err
}

// checkRest deletes all applications, and counts what stays.
func (m *measured) checkRest(ctx context.Context) (err error) {
	for kind, n := range map[string]int{kindLive: m.Live, kindMeasured: m.Applications, kindWaiting: m.Applications} {
		if err := m.delete(ctx, kind, n); err != nil {
			return err
		}
	}
	m.figures.Left, err = m.stock.left(ctx)
	return err
}

func (m *measured) delete(ctx context.Context, kind string, n int) error {
	return each(ctx, n, func(ctx context.Context, i int) error {
		app := application(kind, i, 0)
		if err := m.client.Delete(ctx, app); err != nil {
			return fmt.Errorf("delete %s: %w", app.Name, err)
		}
		return nil
	})
}

// logEnd is the end of the operator's log.
func (m *measured) logEnd() string {
	const most = 4096
	log, err := os.ReadFile(m.cluster.LogPath(m.Operator.Component))
	if err != nil {
		return err.Error()
	}
	return string(log[max(0, len(log)-most):])
}
