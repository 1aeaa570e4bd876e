package plan

import (
	"fmt"
	"maps"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"muster.sh/muster/internal/sparkconf"
	"muster.sh/muster/operators/spark/submission"
)

const keyExecutorOverhead = "spark.executor.memoryOverhead"

// memoryLimit is a role's own limit of memory, if it has one.
func (p *planner) memoryLimit(r role) (limit resource.Quantity, found bool) {
	if text(r.pod.MemoryLimit) == "" {
		return limit, false
	}
	// A Kubernetes quantity may be written here, too, which the newest line reads.
	conf := sparkconf.NewReader(sparkconf.Properties{"memoryLimit": *r.pod.MemoryLimit}, "")
	size, _ := conf.MemoryMiB("memoryLimit")
	if err := conf.Err(); err != nil {
		p.errs = append(p.errs, field.Invalid(r.path.Child("memoryLimit"), *r.pod.MemoryLimit, "is not a size; write one such as 4g"))
		return limit, false
	}
	return *resource.NewQuantity(size<<20, resource.BinarySI), true
}

// executorMemoryLimit makes room for an executor up to its limit by its overhead:
// Spark makes request and limit of an executor the same.
func (p *planner) executorMemoryLimit() {
	r := p.executor()
	limit, found := p.memoryLimit(r)
	if !found {
		return
	}
	least, _ := p.executorMemoryMiB("")
	without, err := p.executorMemoryMiB("0")
	if err != nil {
		return // Whatever is wrong is found again, and told, when all is built.
	}
	size := limit.Value() >> 20
	if size < least {
		p.errs = append(p.errs, field.Invalid(r.path.Child("memoryLimit"), *r.pod.MemoryLimit,
			fmt.Sprintf("is less than the request, %dMi; raise it, or lower memory or memoryOverhead", least)))
		return
	}
	p.settings.set(r.path.Child("memoryLimit"), keyExecutorOverhead, fmt.Sprintf("%dm", size-without))
}

// executorMemoryMiB is the request of an executor, with another overhead if one is
// given.
func (p *planner) executorMemoryMiB(overhead string) (int64, error) {
	props := maps.Clone(p.settings.props)
	if overhead != "" {
		props[keyExecutorOverhead] = overhead
	}
	conf := sparkconf.NewReader(props, p.app.Spec.SparkVersion)
	size := conf.ExecutorMemoryMiB(submission.Language(text(p.app.Spec.MainApplicationFile)))
	return size, conf.Err()
}
