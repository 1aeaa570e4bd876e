package spark

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"

	"muster.sh/muster/internal/sparksubmit"
	"muster.sh/muster/test/testcluster"
)

func badSetting(s *story) {
	// spark-submit takes it as it is; only the API server would refuse the pods
	// of the executors, once the driver has been running for a while.
	const key, value = "spark.kubernetes.executor.request.cores", "abc"
	bad := application{name: "misspelt", executors: 1, steps: []int{1}, settings: []sparksubmit.Setting{{Key: key, Value: value}}}
	good := application{name: "comes-later", executors: full, steps: []int{full}}
	s.settle("neighbour")
	s.submit(bad)
	s.submit(good)
	driver := s.awaitDriver(bad, "exists", anyPod)
	note := s.awaitEvent(driver, "GangRefused")
	for _, word := range []string{key, value, "write "} {
		if !strings.Contains(note, word) {
			s.Errorf("the event on the driver doesn't say %q: %s", word, note)
		}
	}
	s.meet(good, 0)() // which fills the cluster
	s.succeed(good)
	s.requireUnbound(bad)
	if n := len(s.Pods.List(testcluster.And(of(bad), testcluster.IsExecutor))); n > 0 {
		s.Errorf("%d executors of a refused application were created", n)
	}
}

// awaitEvent waits for an event on a pod and returns its text.
func (s *story) awaitEvent(pod *corev1.Pod, reason string) string {
	s.Helper()
	events := cache.NewListWatchFromClient(s.Client().EventsV1().RESTClient(), "events", namespace, fields.Everything())
	note := ""
	_, err := watchtools.UntilWithSync(s.ctx, events, &eventsv1.Event{}, nil, func(change watch.Event) (bool, error) {
		event, ok := change.Object.(*eventsv1.Event)
		if !ok || event.Reason != reason || event.Regarding.UID != pod.UID {
			return false, nil
		}
		note = event.Note
		return true, nil
	})
	if err != nil {
		s.Fatalf("no event %s on %s: %v", reason, pod.Name, err)
	}
	return note
}
