package source

import (
	"maps"
	"slices"

	v1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"muster.sh/muster/scheduler/core"
)

// budget is a PodDisruptionBudget as it was told.
type budget struct {
	selector labels.Selector
	allowed  int
}

// setBudget takes in a new or changed budget. While its controller has not seen how it
// is now, it allows nothing.
func (c *collector) setBudget(b *policyv1.PodDisruptionBudget) {
	now := budget{allowed: int(b.Status.DisruptionsAllowed)}
	if b.Status.ObservedGeneration < b.Generation {
		now.allowed = 0
	}
	var err error
	if now.selector, err = metav1.LabelSelectorAsSelector(b.Spec.Selector); err != nil {
		now.selector = labels.Everything() // the API server admits none that can't be read
	}
	old, known := c.budgets[b.Namespace][b.Name]
	if c.budgets[b.Namespace] == nil {
		c.budgets[b.Namespace] = map[string]budget{}
	}
	c.budgets[b.Namespace][b.Name] = now
	if !known || old.allowed != now.allowed {
		c.emit(core.BudgetSet{Name: b.Namespace + "/" + b.Name, Allowed: now.allowed})
	}
	if !known || old.selector.String() != now.selector.String() {
		c.tellMembers(b.Namespace)
	}
}

func (c *collector) removeBudget(namespace, name string) {
	delete(c.budgets[namespace], name)
	if len(c.budgets[namespace]) == 0 {
		delete(c.budgets, namespace)
	}
	c.emit(core.BudgetGone{Name: namespace + "/" + name})
	c.tellMembers(namespace)
}

// budgetsOf returns the names of the budgets that count a pod, sorted.
func (c *collector) budgetsOf(p *v1.Pod) []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(c.budgets[p.Namespace])) {
		if c.budgets[p.Namespace][name].selector.Matches(labels.Set(p.Labels)) {
			names = append(names, p.Namespace+"/"+name)
		}
	}
	return names
}

// tellMembers tells of the members in a namespace what has changed.
func (c *collector) tellMembers(namespace string) {
	for _, id := range sortedKeys(c.pods) {
		if p := c.pods[id]; p.gang != "" && p.obj.Namespace == namespace {
			c.tell(p)
		}
	}
}
