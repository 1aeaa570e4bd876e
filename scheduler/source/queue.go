package source

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	v1 "k8s.io/api/core/v1"
	apiresource "k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"
	volcano "volcano.sh/apis/pkg/apis/scheduling/v1beta1"

	"muster.sh/muster/api/v1alpha1"
	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/queue"
	"muster.sh/muster/scheduler/resource"
)

// queues are Volcano's.
var queues = customAPI{
	resource: volcano.SchemeGroupVersion.WithResource("queues"),
	set:      func(c *collector, u *unstructured.Unstructured) { c.setQueue(queueSpec(u)) },
	gone:     func(c *collector, u *unstructured.Unstructured) { c.removeQueue(u.GetName()) },
	none: func(c *collector) {
		for _, name := range sortedKeys(c.queues) {
			c.removeQueue(name)
		}
	},
}

// setQueue takes in a queue. That its status was written, which this scheduler does
// itself, is no news.
func (c *collector) setQueue(s queue.Spec) {
	if told, known := c.queues[s.Name]; known && reflect.DeepEqual(told, s) {
		return
	}
	c.queues[s.Name] = s
	c.emit(core.QueueSet{Queue: s})
}

func (c *collector) removeQueue(name string) {
	delete(c.queues, name)
	c.emit(core.QueueGone{Name: name})
}

// setNamespace takes in which queue a namespace charges by default.
func (c *collector) setNamespace(name string, home string) {
	if c.homes[name] == home {
		return
	}
	c.homes[name] = home
	if home == "" {
		delete(c.homes, name)
	}
	c.emit(core.NamespaceSet{Name: name, Queue: home})
}

// queueNamed is the queue that an object names: by our label, or by Volcano's
// annotation.
func queueNamed(o metav1.Object) string {
	return cmp.Or(o.GetLabels()[v1alpha1.QueueLabel], o.GetAnnotations()[volcano.QueueNameAnnotationKey])
}

// queueSpec converts a Queue. What can't be understood is told in it.
func queueSpec(u *unstructured.Unstructured) queue.Spec {
	s := queue.Spec{Name: u.GetName(), Created: u.GetCreationTimestamp().Time, Weight: 1}
	if err := readQueue(u, &s); err != nil {
		s.Refused = err.Error()
	}
	return s
}

func readQueue(u *unstructured.Unstructured, s *queue.Spec) error {
	var q volcano.Queue
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, &q); err != nil {
		return fmt.Errorf("the Queue can't be read: %w; mend its spec", err)
	}
	s.Parent, s.Priority = q.Spec.Parent, int64(q.Spec.Priority)
	s.Backfill = q.Spec.DequeueStrategy == volcano.DequeueStrategyTraverse
	s.Keeps = !ptr.Deref(q.Spec.Reclaimable, true)
	s.Closed = q.Status.State == volcano.QueueStateClosed || q.Status.State == volcano.QueueStateClosing
	if q.Spec.Weight < 0 {
		return fmt.Errorf("spec.weight=%d is negative; set it to 1 or more", q.Spec.Weight)
	}
	s.Weight = max(int64(q.Spec.Weight), 1)
	s.Namespaces = namesIn(u.GetAnnotations()[v1alpha1.QueueNamespacesAnnotation])
	if text, ok := u.GetAnnotations()[v1alpha1.QueueMaxPriorityAnnotation]; ok {
		n, err := strconv.ParseInt(text, 10, 32)
		if err != nil {
			return fmt.Errorf("the annotation %s=%.64q is not a priority; set it to a whole number", v1alpha1.QueueMaxPriorityAnnotation, text)
		}
		s.MaxPriority = &n
	}
	var err error
	if s.MaxExpected, err = amountsIn(u.GetAnnotations(), v1alpha1.QueueMaxExpectedAnnotation); err != nil {
		return err
	}
	if s.MaxNonPreemptible, err = amountsIn(u.GetAnnotations(), v1alpha1.QueueMaxNonPreemptibleAnnotation); err != nil {
		return err
	}
	guarantee, err := limits("spec.guarantee.resource", q.Spec.Guarantee.Resource)
	if err != nil {
		return err
	}
	for _, a := range guarantee {
		s.Guarantee = s.Guarantee.With(a.Name, a.Value)
	}
	if s.Deserved, err = limits("spec.deserved", q.Spec.Deserved); err != nil {
		return err
	}
	s.Capability, err = limits("spec.capability", q.Spec.Capability)
	return err
}

// namesIn reads a list that is separated by commas.
func namesIn(text string) []string {
	var names []string
	for name := range strings.SplitSeq(text, ",") {
		if name = strings.TrimSpace(name); name != "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// amountsIn reads amounts of resources from an annotation, such as "cpu=10, memory=40Gi";
// nil where there is none.
func amountsIn(annotations map[string]string, key string) (queue.Limits, error) {
	text, ok := annotations[key]
	if !ok {
		return nil, nil
	}
	list := v1.ResourceList{}
	for pair := range strings.SplitSeq(text, ",") {
		name, amount, _ := strings.Cut(strings.TrimSpace(pair), "=")
		q, err := apiresource.ParseQuantity(amount)
		if _, twice := list[v1.ResourceName(name)]; err != nil || twice {
			return nil, fmt.Errorf("the annotation %s=%.64q is not a list of resources, each once; set it to one such as cpu=10, memory=40Gi", key, text)
		}
		list[v1.ResourceName(name)] = q
	}
	return limits("the annotation "+key, list)
}

// most is more of any resource than a cluster has, so that sums of amounts below it
// are numbers.
const most = 1 << 56

// limits converts amounts that a Queue names. Unlike in a vector, none and nothing
// differ.
func limits(field string, list v1.ResourceList) (queue.Limits, error) {
	amounts := map[string]int64{}
	for _, name := range slices.Sorted(maps.Keys(list)) {
		q := list[name]
		one := v1.ResourceList{name: q}
		if q.IsZero() && (isStandard(name) || counted(name)) {
			amounts[string(name)] = 0
		}
		vector(one).Each(func(counted string, value int64) { amounts[counted] = value })
		if value, known := amounts[string(name)]; !known {
			return nil, fmt.Errorf("%s[%s] is not a resource of nodes; mend its name, or leave it out", field, name)
		} else if value < 0 || value > most {
			return nil, fmt.Errorf("%s[%s]=%s is not between 0 and %s; set it to what the queue may use", field, name, q.String(), resource.Format(string(name), most))
		}
	}
	return queue.LimitsOf(amounts), nil
}

func isStandard(name v1.ResourceName) bool {
	switch name {
	case v1.ResourceCPU, v1.ResourceMemory, v1.ResourceEphemeralStorage, v1.ResourcePods:
		return true
	}
	return false
}
