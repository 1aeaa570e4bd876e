package audit

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Timeline is what happened, ready to be judged.
type Timeline struct {
	Start, End time.Time // of the first and the last record

	Pods    []*Pod    // by creation; each incarnation of a name is one
	Nodes   []*Node   // by name
	Objects []*Object // podgroups and reservations, by group, kind, namespace, name

	// Gaps says, a sentence each, what could not be read or judged.
	Gaps []string
	// Truncated counts the records cut off by the log's end or by the death of
	// the API server. They are tolerated and no gap.
	Truncated int

	nodes map[string]*Node
}

// Pod is the life of one pod.
type Pod struct {
	Namespace, Name string
	UID             types.UID
	Labels          map[string]string
	Annotations     map[string]string
	Owner           metav1.OwnerReference // the controller, if any
	Scheduler       string                // spec.schedulerName
	Node            string                // where it is bound
	Requests        corev1.ResourceList   // by kube-scheduler's own rule
	Phase           corev1.PodPhase       // Succeeded or Failed once Ended

	Created  Moment
	Bound    Moment
	Running  Moment
	Ended    Moment // its phase became Succeeded or Failed: it holds no room any more
	Deleting Moment // deletion or eviction was asked for
	Gone     Moment // its object is gone
}

// String returns namespace/name.
func (p *Pod) String() string { return p.Namespace + "/" + p.Name }

// Object is the life of a podgroup or a reservation.
type Object struct {
	Group, Resource, Namespace, Name string

	States  []ObjectState // by time
	Deleted []Moment      // by time
}

// Timeline finishes the fold. The log may grow afterwards and be asked again.
func (l *Log) Timeline() *Timeline {
	tl := &Timeline{Start: l.start, End: l.end, Truncated: l.truncated, nodes: map[string]*Node{}}
	for name, record := range l.nodes {
		node := record.finish(name)
		tl.nodes[name] = node
		tl.Nodes = append(tl.Nodes, node)
	}
	slices.SortFunc(tl.Nodes, func(a, b *Node) int { return cmp.Compare(a.Name, b.Name) })
	for key, record := range l.objects {
		tl.Objects = append(tl.Objects, l.finishObject(key, record))
	}
	slices.SortFunc(tl.Objects, func(a, b *Object) int {
		return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.Resource, b.Resource),
			cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	tl.Pods = l.finishPods()
	tl.Gaps = l.gaps(tl)
	return tl
}

func (l *Log) finishObject(key objectKey, o *objectRecord) *Object {
	object := &Object{
		Group: key.group, Resource: key.resource, Namespace: key.namespace, Name: key.name,
		States: slices.Clone(o.states), Deleted: slices.Clone(o.deleted),
	}
	slices.SortStableFunc(object.States, func(a, b ObjectState) int {
		return cmp.Or(cmp.Compare(a.version, b.version), a.At.By.Compare(b.At.By))
	})
	for i, at := range object.Deleted {
		object.Deleted[i] = l.withoutOutage(at)
	}
	slices.SortFunc(object.Deleted, func(a, b Moment) int { return a.By.Compare(b.By) })
	return object
}

// gaps lists what stands between the log and a full judgement.
func (l *Log) gaps(tl *Timeline) []string {
	var gaps []string
	add := func(n int, format string, args ...any) {
		if n > 0 {
			gaps = append(gaps, fmt.Sprintf("%d "+format, append([]any{n}, args...)...))
		}
	}
	if l.start.IsZero() {
		gaps = append(gaps, "the log has no record at all")
	}
	add(l.damaged, "lines of the log are no audit records")
	add(l.bodiless, "writes of pods, nodes, podgroups or reservations lack their object: "+
		"the audit policy must record these at level RequestResponse")
	unknown, homeless := 0, 0
	example := ""
	for _, pod := range tl.Pods {
		if !pod.Bound.Known() {
			continue
		}
		if pod.Requests == nil {
			unknown++
		}
		if node := tl.nodes[pod.Node]; node == nil || !node.known() {
			homeless++
			example = pod.Node
		}
	}
	add(unknown, "bound pods are in the log without their specs")
	add(homeless, "bound pods are on nodes whose allocatable is not in the log, for example %q", example)
	return gaps
}
