package source

import (
	"reflect"
	"testing"

	v1 "k8s.io/api/core/v1"
	apiresource "k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	volcano "volcano.sh/apis/pkg/apis/scheduling/v1beta1"

	"muster.sh/muster/api/v1alpha1"
	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/queue"
	"muster.sh/muster/scheduler/resource"
)

func quantities(pairs ...string) v1.ResourceList {
	list := v1.ResourceList{}
	for i := 0; i < len(pairs); i += 2 {
		list[v1.ResourceName(pairs[i])] = apiresource.MustParse(pairs[i+1])
	}
	return list
}

func annotatedQueue(key, value string) volcano.Queue {
	return volcano.Queue{ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{key: value}}}
}

func TestQueuesAreRead(t *testing.T) {
	for name, c := range map[string]struct {
		queue volcano.Queue
		want  queue.Spec
	}{
		"all of it": {
			volcano.Queue{
				ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{
					v1alpha1.QueueNamespacesAnnotation: "b, a,,b", v1alpha1.QueueMaxPriorityAnnotation: "-5",
					v1alpha1.QueueMaxExpectedAnnotation: "cpu=10, memory=40Gi", v1alpha1.QueueMaxNonPreemptibleAnnotation: "nvidia.com/gpu=0,cpu=500m",
				}},
				Spec: volcano.QueueSpec{
					Parent: "research", Weight: 3, Priority: 7, DequeueStrategy: volcano.DequeueStrategyTraverse,
					Guarantee:  volcano.Guarantee{Resource: quantities("cpu", "1500m")},
					Deserved:   quantities("cpu", "2", "nvidia.com/gpu", "0"),
					Capability: quantities("memory", "1Gi", "nvidia.com/gpu", "8", "pods", "10"),
				},
				Status: volcano.QueueStatus{State: volcano.QueueStateClosing},
			},
			queue.Spec{
				Parent: "research", Weight: 3, Priority: 7, Backfill: true, Closed: true,
				Namespaces: []string{"a", "b"}, MaxPriority: ptr.To[int64](-5), Guarantee: resource.Vector{MilliCPU: 1500},
				Deserved:   queue.LimitsOf(map[string]int64{"cpu": 2000, "nvidia.com/gpu": 0}),
				Capability: queue.LimitsOf(map[string]int64{"memory": 1 << 30, "nvidia.com/gpu": 8, "pods": 10}),

				MaxExpected:       queue.LimitsOf(map[string]int64{"cpu": 10_000, "memory": 40 << 30}),
				MaxNonPreemptible: queue.LimitsOf(map[string]int64{"cpu": 500, "nvidia.com/gpu": 0}),
			}},
		"nothing said": {volcano.Queue{}, queue.Spec{Weight: 1}},
		"a negative amount": {
			volcano.Queue{Spec: volcano.QueueSpec{Capability: quantities("cpu", "-1")}},
			queue.Spec{Weight: 1, Refused: "spec.capability[cpu]=-1 is not between 0 and 72057594037927936m; set it to what the queue may use"}},
		"an absurd amount": {
			volcano.Queue{Spec: volcano.QueueSpec{Deserved: quantities("memory", "8Ei")}},
			queue.Spec{Weight: 1, Refused: "spec.deserved[memory]=9223372036854775807 is not between 0 and 65536Ti; set it to what the queue may use"}},
		"a resource that no node has": {
			volcano.Queue{Spec: volcano.QueueSpec{Guarantee: volcano.Guarantee{Resource: quantities("gpu", "1")}}},
			queue.Spec{Weight: 1, Refused: "spec.guarantee.resource[gpu] is not a resource of nodes; mend its name, or leave it out"}},
		"a negative weight": {
			volcano.Queue{Spec: volcano.QueueSpec{Weight: -1}},
			queue.Spec{Weight: 1, Refused: "spec.weight=-1 is negative; set it to 1 or more"}},
		"a priority that is none": {
			volcano.Queue{ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{v1alpha1.QueueMaxPriorityAnnotation: "high"}}},
			queue.Spec{Weight: 1, Refused: `the annotation muster.sh/max-priority="high" is not a priority; set it to a whole number`}},
		"a limit that is no list": {
			annotatedQueue(v1alpha1.QueueMaxExpectedAnnotation, "10"),
			queue.Spec{Weight: 1, Refused: `the annotation muster.sh/max-expected="10" is not a list of resources, each once; set it to one such as cpu=10, memory=40Gi`}},
		"a limit that is empty": {
			annotatedQueue(v1alpha1.QueueMaxNonPreemptibleAnnotation, ""),
			queue.Spec{Weight: 1, Refused: `the annotation muster.sh/max-non-preemptible="" is not a list of resources, each once; set it to one such as cpu=10, memory=40Gi`}},
		"a limit of the same twice": {
			annotatedQueue(v1alpha1.QueueMaxExpectedAnnotation, "cpu=1,cpu=2"),
			queue.Spec{Weight: 1, Refused: `the annotation muster.sh/max-expected="cpu=1,cpu=2" is not a list of resources, each once; set it to one such as cpu=10, memory=40Gi`}},
		"a limit of what no node has": {
			annotatedQueue(v1alpha1.QueueMaxExpectedAnnotation, "gpu=1"),
			queue.Spec{Weight: 1, Refused: "the annotation muster.sh/max-expected[gpu] is not a resource of nodes; mend its name, or leave it out"}},
		"a limit below nothing": {
			annotatedQueue(v1alpha1.QueueMaxNonPreemptibleAnnotation, "cpu=-1"),
			queue.Spec{Weight: 1, Refused: "the annotation muster.sh/max-non-preemptible[cpu]=-1 is not between 0 and 72057594037927936m; set it to what the queue may use"}},
	} {
		t.Run(name, func(t *testing.T) {
			c.queue.Name, c.want.Name = "q", "q"
			if got := queueSpec(object(t, &c.queue, volcano.SchemeGroupVersion.WithKind("Queue"))); !reflect.DeepEqual(got, c.want) {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
		})
	}
}

// The scheduler writes the status itself, as often as something starts or ends.
func TestANewStatusOfAQueueIsNoNews(t *testing.T) {
	c := newCollector(settings{schedulerName: testScheduler})
	for _, step := range []struct {
		queue volcano.Queue
		news  bool
	}{
		{volcano.Queue{}, true},
		{volcano.Queue{Status: volcano.QueueStatus{State: volcano.QueueStateOpen, Running: 3, Allocated: quantities("cpu", "2")}}, false},
		{volcano.Queue{Status: volcano.QueueStatus{State: volcano.QueueStateClosed}}, true},
		{volcano.Queue{Status: volcano.QueueStatus{State: volcano.QueueStateClosing}}, false},
		{volcano.Queue{Spec: volcano.QueueSpec{Weight: 2}, Status: volcano.QueueStatus{State: volcano.QueueStateClosing}}, true},
	} {
		queues.set(c, object(t, &step.queue, volcano.SchemeGroupVersion.WithKind("Queue")))
		if events, _ := c.take(); (len(events) == 1) != step.news {
			t.Errorf("%+v: %v", step.queue, events)
		}
	}
	queues.gone(c, object(t, &volcano.Queue{}, volcano.SchemeGroupVersion.WithKind("Queue")))
	queues.set(c, object(t, &volcano.Queue{}, volcano.SchemeGroupVersion.WithKind("Queue")))
	if events, _ := c.take(); len(events) != 2 {
		t.Errorf("gone and back: %v", events)
	}
}

func TestQueuesGoWithTheirDefinition(t *testing.T) {
	c := newCollector(settings{schedulerName: testScheduler})
	for _, name := range []string{"a", "b", "c"} {
		queues.set(c, object(t, &volcano.Queue{ObjectMeta: metav1.ObjectMeta{Name: name}}, volcano.SchemeGroupVersion.WithKind("Queue")))
	}
	queues.gone(c, object(t, &volcano.Queue{ObjectMeta: metav1.ObjectMeta{Name: "b"}}, volcano.SchemeGroupVersion.WithKind("Queue")))
	c.take()
	queues.none(c)
	events, _ := c.take()
	if want := []core.Event{core.QueueGone{Name: "a"}, core.QueueGone{Name: "c"}}; !reflect.DeepEqual(events, want) {
		t.Errorf("%v, want %v", events, want)
	}
}

func TestTheQueueOfANamespace(t *testing.T) {
	c := newCollector(settings{schedulerName: testScheduler})
	for _, step := range []struct {
		home string
		want []core.Event
	}{
		{"", nil},
		{"research", []core.Event{core.NamespaceSet{Name: "team", Queue: "research"}}},
		{"research", nil},
		{"ops", []core.Event{core.NamespaceSet{Name: "team", Queue: "ops"}}},
		{"", []core.Event{core.NamespaceSet{Name: "team"}}},
	} {
		c.setNamespace("team", step.home)
		if got, _ := c.take(); !reflect.DeepEqual(got, step.want) {
			t.Errorf("%q: %v, want %v", step.home, got, step.want)
		}
	}
}

func TestWhichQueueAnObjectNames(t *testing.T) {
	for _, c := range []struct {
		options []podOption
		want    string
	}{
		{nil, ""},
		{[]podOption{annotation(volcano.QueueNameAnnotationKey, "v")}, "v"},
		{[]podOption{annotation(volcano.QueueNameAnnotationKey, "v"), label(v1alpha1.QueueLabel, "m")}, "m"},
	} {
		if got := queueNamed(newPod("p", c.options...)); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}
