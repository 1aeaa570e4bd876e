package metrics

import (
	"errors"
	"regexp"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// vectors makes metrics that are told apart by the same labels.
type vectors struct {
	labels []string
	all    []prometheus.Collector
}

func (v *vectors) counter(name, help string) *prometheus.CounterVec {
	c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, v.labels)
	v.all = append(v.all, c)
	return c
}

func (v *vectors) gauge(name, help string) *prometheus.GaugeVec {
	g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, v.labels)
	v.all = append(v.all, g)
	return g
}

func (v *vectors) summary(name, help string) *prometheus.SummaryVec {
	s := prometheus.NewSummaryVec(prometheus.SummaryOpts{Name: name, Help: help}, v.labels)
	v.all = append(v.all, s)
	return s
}

func (v *vectors) histogram(name, help string, buckets []float64) *prometheus.HistogramVec {
	h := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, v.labels)
	v.all = append(v.all, h)
	return h
}

func (v *vectors) register(registry prometheus.Registerer) error {
	var errs []error
	for _, collector := range v.all {
		errs = append(errs, registry.Register(collector))
	}
	return errors.Join(errs...)
}

// latency is told as a summary and in buckets, as upstream does.
type latency struct {
	summary *prometheus.SummaryVec
	buckets *prometheus.HistogramVec
}

func (l latency) observe(values []string, d time.Duration) {
	l.summary.WithLabelValues(values...).Observe(d.Seconds())
	l.buckets.WithLabelValues(values...).Observe(d.Seconds())
}

// labels are names of labels of objects.
type labels []string

const (
	namespaceLabel = "namespace"
	// unknown is the value for an object without the label.
	unknown = "Unknown"
)

var notInNames = regexp.MustCompile(`[^a-zA-Z0-9_]`)

// names are those of the metrics' labels, in which fewer characters are allowed.
func (l labels) names() []string {
	names := make([]string, len(l))
	for i, label := range l {
		names[i] = notInNames.ReplaceAllString(label, "_")
	}
	return names
}

// of are an object's values, in the order of the names.
func (l labels) of(o metav1.Object) []string {
	values := make([]string, len(l))
	for i, label := range l {
		value, found := o.GetLabels()[label]
		switch {
		case found:
			values[i] = value
		case label == namespaceLabel:
			values[i] = o.GetNamespace()
		default:
			values[i] = unknown
		}
	}
	return values
}
