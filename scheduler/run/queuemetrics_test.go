package run

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/queue"
	"muster.sh/muster/scheduler/resource"
)

// collected are the metrics of queues, one a line, without their common prefix.
func collected(q queueFigures) []string {
	var lines []string
	q.collect(func(d *prometheus.Desc, v float64, values ...string) {
		name := strings.Split(d.String(), `"`)[1]
		lines = append(lines, fmt.Sprintf("%s %s %v", strings.TrimPrefix(name, "muster_scheduler_queue_"), strings.Join(values, ","), v))
	})
	slices.Sort(lines)
	return lines
}

func TestMetricsOfQueuesAreBoundedByWhatAdministratorsDeclare(t *testing.T) {
	stray := func(name string) core.QueueRecord {
		return core.QueueRecord{
			Record: queue.Record{Name: name, Used: resource.Vector{MilliCPU: 1000}},
			Gangs:  map[gang.Code]int{gang.Barred: 2},
		}
	}
	own := core.QueueRecord{
		Record: queue.Record{
			Name: "own", Declared: true, Share: 1.5,
			Guaranteed: resource.Vector{MilliCPU: 500}, Entitled: resource.Vector{MilliCPU: 2000, Memory: 1 << 30},
			Used: resource.Vector{MilliCPU: 3000, Pods: 2}, Borrowed: resource.Vector{MilliCPU: 1000},
		},
		Gangs: map[gang.Code]int{gang.OverQuota: 3, gang.Running: 1},
	}
	q := queueFigures{
		records: []core.QueueRecord{stray("a"), stray("b"), {Record: queue.Record{Name: queue.Default}}, own},
		pending: map[string]resource.Vector{
			"a": {MilliCPU: 1000}, "own": resource.Of(map[string]int64{resource.CPU: 1500, "x.example/own": 1}),
		},
	}
	want := []string{
		"borrowed default,cpu 0", "borrowed default,memory 0",
		"borrowed own,cpu 1", "borrowed own,memory 0",
		"deserved default,cpu 0", "deserved default,memory 0",
		"deserved own,cpu 2", fmt.Sprint("deserved own,memory ", float64(1<<30)),
		"gangs ,Barred 4",
		"gangs own,OverQuota 3", "gangs own,Running 1",
		"guaranteed default,cpu 0", "guaranteed default,memory 0",
		"guaranteed own,cpu 0.5", "guaranteed own,memory 0",
		"pending default,cpu 0", "pending default,memory 0",
		"pending own,cpu 1.5", "pending own,memory 0",
		"share default 0", "share own 1.5",
		"used default,cpu 0", "used default,memory 0",
		"used own,cpu 3", "used own,memory 0",
	}
	if got := collected(q); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
