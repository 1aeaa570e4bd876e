package run

import (
	"maps"
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/queue"
	"muster.sh/muster/scheduler/resource"
)

var (
	queueShareDesc = prometheus.NewDesc(namespace+"_queue_share",
		"The greatest part that a queue uses of anything that it deserves; above 1 it has borrowed.", []string{"queue"}, nil)
	queueGangsDesc = prometheus.NewDesc(namespace+"_queue_gangs",
		"Gangs of a queue by the kind of their verdict. Those of queues that are not declared are told of without a name.", []string{"queue", "verdict"}, nil)
)

// queueAmounts are what is told of a queue for each resource, CPU in cores and memory in
// bytes.
var queueAmounts = []struct {
	desc *prometheus.Desc
	of   func(*queueFigures, *core.QueueRecord) resource.Vector
}{
	{amountDesc("guaranteed", "What a queue is guaranteed"), func(_ *queueFigures, r *core.QueueRecord) resource.Vector { return r.Guaranteed }},
	{amountDesc("deserved", "What the share of a queue is measured by"), func(_ *queueFigures, r *core.QueueRecord) resource.Vector { return r.Entitled }},
	{amountDesc("used", "What a queue and those below it are charged for"), func(_ *queueFigures, r *core.QueueRecord) resource.Vector { return r.Used }},
	{amountDesc("borrowed", "What a queue uses beyond what it deserves"), func(_ *queueFigures, r *core.QueueRecord) resource.Vector { return r.Borrowed }},
	{amountDesc("pending", "What gangs of a queue ask for that wait for their start"), func(q *queueFigures, r *core.QueueRecord) resource.Vector { return q.pending[r.Name] }},
}

func amountDesc(name, help string) *prometheus.Desc {
	return prometheus.NewDesc(namespace+"_queue_"+name, help+", CPU in cores and memory in bytes.", []string{"queue", "resource"}, nil)
}

func queueDescs() []*prometheus.Desc {
	descs := []*prometheus.Desc{queueShareDesc, queueGangsDesc}
	for _, a := range queueAmounts {
		descs = append(descs, a.desc)
	}
	return descs
}

// queueFigures are what queues are told of by.
type queueFigures struct {
	records []core.QueueRecord
	pending map[string]resource.Vector
}

// collect reports all queues. Names are an administrator's alone, of queues that
// are declared and of resources that these deserve: whoever creates pods may name any
// other, and there would be no end to them.
func (q *queueFigures) collect(gauge func(d *prometheus.Desc, v float64, labels ...string)) {
	resources := q.deserved()
	gangs := map[string]map[gang.Code]int{}
	for i := range q.records {
		r := &q.records[i]
		if !r.Declared && r.Name != queue.Default {
			gangs[""] = plus(gangs[""], r.Gangs)
			continue
		}
		gangs[r.Name] = r.Gangs
		gauge(queueShareDesc, r.Share, r.Name)
		for _, a := range queueAmounts {
			amounts := a.of(q, r)
			for _, name := range resources {
				gauge(a.desc, amount(name, amounts.Get(name)), r.Name, name)
			}
		}
	}
	for name, counts := range gangs {
		for code, count := range counts {
			gauge(queueGangsDesc, float64(count), name, string(code))
		}
	}
}

// deserved are the resources of which any queue deserves something.
func (q *queueFigures) deserved() []string {
	names := map[string]bool{}
	for i := range q.records {
		q.records[i].Entitled.Each(func(name string, value int64) {
			if value > 0 {
				names[name] = true
			}
		})
	}
	return slices.Sorted(maps.Keys(names))
}

func plus(a, b map[gang.Code]int) map[gang.Code]int {
	sum := maps.Clone(b)
	for code, count := range a {
		sum[code] += count
	}
	return sum
}
