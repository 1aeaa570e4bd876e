package run

import (
	"context"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/component-base/metrics/legacyregistry"

	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/resource"
)

const namespace = "muster_scheduler"

// The metrics of the process. kube-scheduler's registry serves them beside its
// own.
var (
	gangWait = prometheus.NewHistogram(prometheus.HistogramOpts{
		Namespace: namespace, Name: "gang_wait_seconds",
		Help:    "Time from the creation of a gang to the moment at which its whole minimum may be bound.",
		Buckets: prometheus.ExponentialBuckets(0.05, 2, 20),
	})
	stepTime = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Namespace: namespace, Name: "step_seconds",
		Help:    "Time to decide what follows from one event, planning included.",
		Buckets: prometheus.ExponentialBuckets(0.000_01, 4, 10),
	}, []string{"event"})
	vetoes = prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: namespace, Name: "vetoes_total",
		Help: "Members that a check of their own scheduling cycle has refused on their planned node.",
	}, []string{"plugin"})
	apiWrites = prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: namespace, Name: "api_writes_total",
		Help: "Requests to the API server that write, by what they write and how it went.",
	}, []string{"verb", "resource", "code"})

	gangsDesc = prometheus.NewDesc(namespace+"_gangs",
		"Gangs by phase.", []string{"phase"}, nil)
	unclaimedDesc = prometheus.NewDesc(namespace+"_reserved_unclaimed",
		"Room that is held for members that have not come yet, CPU in cores and memory in bytes.", []string{"resource"}, nil)
	heldDesc = prometheus.NewDesc(namespace+"_held_pods",
		"Members of gangs that are held out of kube-scheduler's queue.", nil, nil)
	latchedDesc = prometheus.NewDesc(namespace+"_latched_pods",
		"Members that have passed everything but their bind and wait for their gang.", nil, nil)
)

// metrics is one engine's side of them.
type metrics struct {
	engine  *engine
	machine *core.Machine
}

// current is the engine that is asked for the gauges: a registry takes a
// collector once, a process may have several engines one after the other.
var current atomic.Pointer[metrics]

var register = sync.OnceFunc(func() {
	for _, c := range []prometheus.Collector{gangWait, stepTime, vetoes, apiWrites, gauges{}} {
		legacyregistry.RawMustRegister(c)
	}
})

func newMetrics(e *engine, m *core.Machine) *metrics {
	register()
	out := &metrics{engine: e, machine: m}
	current.Store(out)
	return out
}

func (*metrics) vetoed(plugin string) { vetoes.WithLabelValues(plugin).Inc() }

// step is called in the loop's goroutine, so it may look at the machine.
func (m *metrics) step(event core.Stamped, decisions []core.Decision, took time.Duration) {
	stepTime.WithLabelValues(reflect.TypeOf(event.Event).Name()).Observe(took.Seconds())
	for _, d := range decisions {
		open, ok := d.(core.OpenLatch)
		if !ok {
			continue
		}
		// A gang of which members are bound already was started by an earlier
		// leader, who has counted it.
		if r, ok := m.machine.Record(open.Gang); ok && r.Bound == 0 {
			gangWait.Observe(event.At.Sub(r.Created).Seconds())
		}
	}
}

// gauges are worked out when they are asked for.
type gauges struct{}

// Describe names the gauges.
func (gauges) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range append([]*prometheus.Desc{gangsDesc, unclaimedDesc, heldDesc, latchedDesc}, queueDescs()...) {
		ch <- d
	}
}

// Collect reports the gauges of the current engine. One that does not lead has
// no gangs to report.
func (gauges) Collect(ch chan<- prometheus.Metric) {
	m := current.Load()
	if m == nil {
		return
	}
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	gauge(heldDesc, float64(m.engine.queue.Len()))
	gauge(latchedDesc, float64(m.engine.latch.Waiting()))
	if !isClosed(m.engine.recovered) {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	var f core.Figures
	var q queueFigures
	err := m.engine.loop.Ask(ctx, func(m *core.Machine) {
		f, q = m.Figures(), queueFigures{records: m.QueueRecords(), pending: m.Pending()}
	})
	if err != nil {
		return
	}
	for _, phase := range []core.Phase{core.Collecting, core.Waiting, core.Storing, core.Starting, core.Started, core.Leaving} {
		gauge(gangsDesc, float64(f.Gangs[phase]), string(phase))
	}
	f.Unclaimed.Each(func(name string, value int64) { gauge(unclaimedDesc, amount(name, value), name) })
	q.collect(gauge)
}

// amount is that of a resource in its base unit: cores, bytes.
func amount(name string, value int64) float64 {
	if name == resource.CPU {
		return float64(value) / 1000
	}
	return float64(value)
}
