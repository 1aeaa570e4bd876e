// Package oversized tells that of a gang bigger than the cluster no pod is bound,
// that it is told so, and that others run meanwhile.
package oversized

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"

	"muster.sh/muster/test/testcluster"
)

const (
	fitting = 4
	members = 8
)

func TestMusterNeverBindsAPodOfAGangThatCannotFit(t *testing.T) {
	ctx, c := testcluster.Start(t, testcluster.Spec{Scheduler: testcluster.Muster, Nodes: 4, Shape: "cpu=4,memory=16Gi"})
	groups := []testcluster.PodGroup{
		{Name: "too-many", Members: 17, CPUs: 1}, // of 16 CPUs
		{Name: "too-wide", Members: 2, CPUs: 5},  // on nodes of 4
		{Name: "too-coarse", Members: 5, CPUs: 3, // one on each node
			Runs: time.Second},
	}
	for i := range fitting {
		groups = append(groups, testcluster.PodGroup{Name: fmt.Sprintf("fits-%d", i), Members: members, CPUs: 1, Runs: time.Second})
	}
	if err := c.SubmitSpark(ctx, testcluster.SparkApp{Name: "too-hungry", Executors: 16}); err != nil {
		t.Fatal(err)
	}
	if err := c.CreatePodGroups(ctx, groups...); err != nil {
		t.Fatal(err)
	}
	fits := func(pod *corev1.Pod) bool { return strings.HasPrefix(pod.Name, "fits-") }
	if err := c.Pods.Await(ctx, "the gangs that fit have ended", func(pods []*corev1.Pod) bool {
		return testcluster.Count(pods, func(p *corev1.Pod) bool { return fits(p) && testcluster.Ended(p) }) == fitting*members
	}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"too-many", "too-wide", "too-coarse", "too-hungry"} {
		if err := awaitWarning(ctx, c.Client(), name); err != nil {
			t.Error(err)
		}
	}
	for _, pod := range c.RequireNoFault(t, 16).Pods {
		if strings.HasPrefix(pod.Name, "too-") && pod.Bound.Known() {
			t.Errorf("pod %s was bound to %s", pod, pod.Node)
		}
	}
}

// awaitWarning waits until a PodGroup of this name, or the driver of an application
// of this name, was told something by a warning event.
func awaitWarning(ctx context.Context, client kubernetes.Interface, name string) error {
	events := cache.NewListWatchFromClient(client.EventsV1().RESTClient(), "events", testcluster.Namespace, fields.Everything())
	_, err := watchtools.UntilWithSync(ctx, events, &eventsv1.Event{}, nil, func(e watch.Event) (bool, error) {
		event, ok := e.Object.(*eventsv1.Event)
		return ok && event.Type == corev1.EventTypeWarning && strings.HasPrefix(event.Regarding.Name, name), nil
	})
	if err != nil {
		return fmt.Errorf("wait until %s is told that it can't fit: %w", name, err)
	}
	return nil
}
