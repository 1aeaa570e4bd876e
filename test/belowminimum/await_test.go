package belowminimum

import (
	"context"
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"

	"muster.sh/muster/api/v1alpha1"
	"muster.sh/muster/test/testcluster"
)

// awaitWhole waits until all members of a gang run and none of these pods is left,
// and returns the members.
func awaitWhole(ctx context.Context, t *testing.T, c *testcluster.Cluster, name string, without []*corev1.Pod) []*corev1.Pod {
	t.Helper()
	old := map[types.UID]bool{}
	for _, pod := range without {
		old[pod.UID] = true
	}
	fresh := testcluster.And(of(name), testcluster.Running, func(pod *corev1.Pod) bool { return !old[pod.UID] && pod.DeletionTimestamp == nil })
	err := c.Pods.Await(ctx, "gang "+name+" runs", func(pods []*corev1.Pod) bool {
		return testcluster.Count(pods, fresh) == members && testcluster.Count(pods, func(pod *corev1.Pod) bool { return old[pod.UID] }) == 0
	})
	if err != nil {
		t.Fatal(err)
	}
	return c.Pods.List(fresh)
}

// awaitNoMark waits until nothing is stored of a gang that went.
func awaitNoMark(ctx context.Context, t *testing.T, c *testcluster.Cluster) {
	t.Helper()
	reservations := c.Dynamic.Resource(v1alpha1.ReservationResource).Namespace(testcluster.Namespace)
	list := &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			return reservations.List(ctx, o)
		},
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			return reservations.Watch(ctx, o)
		},
	}
	awaitCount(ctx, t, list, &unstructured.Unstructured{}, "no Reservations", func(n int) bool { return n == 0 })
}

// awaitEvents waits until so many events of a reason have been written.
func awaitEvents(ctx context.Context, t *testing.T, c *testcluster.Cluster, reason string, count int) {
	t.Helper()
	events := c.Client().EventsV1().Events(testcluster.Namespace)
	list := &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			o.FieldSelector = "reason=" + reason
			return events.List(ctx, o)
		},
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			o.FieldSelector = "reason=" + reason
			return events.Watch(ctx, o)
		},
	}
	awaitCount(ctx, t, list, &eventsv1.Event{}, fmt.Sprintf("%d events %s", count, reason), func(n int) bool { return n >= count })
}

// awaitCount waits until a number of objects holds.
func awaitCount(ctx context.Context, t *testing.T, list *cache.ListWatch, object runtime.Object, what string, holds func(int) bool) {
	t.Helper()
	var found cache.Store
	_, err := watchtools.UntilWithSync(ctx, list, object, func(store cache.Store) (bool, error) {
		found = store
		return holds(len(store.List())), nil
	}, func(watch.Event) (bool, error) { return holds(len(found.List())), nil })
	if err != nil {
		t.Fatalf("wait until there are %s: %v", what, err)
	}
}
