package memory

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/version"
	"k8s.io/apimachinery/pkg/watch"
	discoveryfake "k8s.io/client-go/discovery/fake"
	"k8s.io/client-go/kubernetes/fake"
	coreclient "k8s.io/client-go/kubernetes/typed/core/v1"
	eventsclient "k8s.io/client-go/kubernetes/typed/events/v1"
)

// client answers for nodes, pods and Events itself. For all else there is an
// empty fake, which is too slow for what is asked once a pod.
type client struct {
	*fake.Clientset
	core   core
	events events
}

func newClient(a *API) client {
	empty := fake.NewClientset()
	empty.Discovery().(*discoveryfake.FakeDiscovery).FakedServerVersion = &version.Info{Major: "1", Minor: "37"}
	return client{empty, core{empty.CoreV1(), a}, events{empty.EventsV1(), a}}
}

// CoreV1 returns the client of nodes and pods.
func (c client) CoreV1() coreclient.CoreV1Interface { return c.core }

// EventsV1 returns the client of Events.
func (c client) EventsV1() eventsclient.EventsV1Interface { return c.events }

type core struct {
	coreclient.CoreV1Interface
	api *API
}

// Nodes returns the client of nodes.
func (c core) Nodes() coreclient.NodeInterface { return nodes{c.CoreV1Interface.Nodes(), c.api} }

// Pods returns the client of the pods of a namespace, or of all.
func (c core) Pods(namespace string) coreclient.PodInterface {
	return pods{c.CoreV1Interface.Pods(namespace), c.api, namespace}
}

type nodes struct {
	coreclient.NodeInterface
	api *API
}

// Get returns a node.
func (n nodes) Get(_ context.Context, name string, _ metav1.GetOptions) (*corev1.Node, error) {
	return n.api.nodes.get("", name)
}

// List returns all nodes.
func (n nodes) List(context.Context, metav1.ListOptions) (*corev1.NodeList, error) {
	all, version := n.api.nodes.all()
	list := &corev1.NodeList{ListMeta: metav1.ListMeta{ResourceVersion: version}, Items: make([]corev1.Node, len(all))}
	for i, node := range all {
		node.DeepCopyInto(&list.Items[i])
	}
	return list, nil
}

// Watch tells of nodes that change. None does.
func (n nodes) Watch(_ context.Context, o metav1.ListOptions) (watch.Interface, error) {
	return n.api.nodes.watch(o.ResourceVersion)
}

type events struct {
	eventsclient.EventsV1Interface
	api *API
}

// Events returns the client of the Events of a namespace.
func (e events) Events(namespace string) eventsclient.EventInterface {
	return counter{e.EventsV1Interface.Events(namespace), e.api}
}

// counter counts Events and keeps none.
type counter struct {
	eventsclient.EventInterface
	api *API
}

// Create counts an Event.
func (c counter) Create(_ context.Context, e *eventsv1.Event, _ metav1.CreateOptions) (*eventsv1.Event, error) {
	c.api.events.Add(1)
	return e, nil
}
