// Package memory takes the place of an API server inside of the process that is
// measured: clients that answer from memory what a scheduler asks, and tell its
// watches of what it has bound. Nothing is encoded and nothing crosses a network,
// so that what a process costs is almost all the scheduler's own. An object is
// copied once for each watch that it is sent to, as each would have decoded one
// of its own.
//
// Nodes, pods and PodGroups are answered from tables that are filled at the
// start. All other kinds are empty. Selectors are not looked at: every pod is the
// scheduler's, and none ends.
package memory

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
)

// API has the objects.
type API struct {
	nodes  *table[*corev1.Node]
	pods   *table[*corev1.Pod]
	groups *table[*unstructured.Unstructured]

	kubernetes client
	dynamic    dynamicClient

	mu      sync.Mutex
	binds   []Bind
	refused int

	events, patches atomic.Int64
}

// Bind is one that was granted.
type Bind struct {
	Pod, Node string
	At        time.Time
}

// New returns an API in which these objects exist. They are its own from then on.
func New(nodes []*corev1.Node, pods []*corev1.Pod, groups []*unstructured.Unstructured) (*API, error) {
	a := &API{
		nodes: newTable("", "nodes", nodes), pods: newTable("", "pods", pods),
		groups: newTable(podGroups.Group, podGroups.Resource, groups),
		binds:  make([]Bind, 0, len(pods)),
	}
	a.kubernetes = newClient(a)
	var err error
	a.dynamic, err = newDynamicClient(a)
	return a, err
}

// Kubernetes returns the client of built-in kinds.
func (a *API) Kubernetes() kubernetes.Interface { return a.kubernetes }

// Dynamic returns the client of all other kinds.
func (a *API) Dynamic() dynamic.Interface { return a.dynamic }

// GroupsAfter returns the versions of PodGroups that were written after the first
// n, and a channel that is closed when there are more. They must not be changed.
func (a *API) GroupsAfter(n int) (versions []*unstructured.Unstructured, more <-chan struct{}) {
	return a.groups.after(n)
}

// Binds returns those that were granted, in order, and how many were refused.
func (a *API) Binds() (granted []Bind, refused int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.binds), a.refused
}

// Writes returns how many Events were created, and how often a status was patched.
func (a *API) Writes() (events, patches int) {
	return int(a.events.Load()), int(a.patches.Load())
}
