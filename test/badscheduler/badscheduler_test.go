// Package badscheduler commits on purpose, on a real API server, each fault that
// the other stories must not show, and requires the auditors to find it.
package badscheduler

import (
	"context"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"muster.sh/muster/api/v1alpha1"
	"muster.sh/muster/benchmarks/audit"
	"muster.sh/muster/test/testcluster"
)

// scheduler binds what it is told to.
type scheduler struct {
	*testing.T
	*testcluster.Cluster
	ctx context.Context
}

func (s *scheduler) bind(pod, node string) {
	s.Helper()
	binding := &corev1.Binding{ObjectMeta: metav1.ObjectMeta{Name: pod}, Target: corev1.ObjectReference{Kind: "Node", Name: node}}
	if err := s.Client().CoreV1().Pods(testcluster.Namespace).Bind(s.ctx, binding, metav1.CreateOptions{}); err != nil {
		s.Fatal(err)
	}
}

func (s *scheduler) create(name string, cpus int, labels map[string]string) *corev1.Pod {
	s.Helper()
	pod := s.Pod(name, cpus, 0)
	pod.Labels = labels
	created, err := s.Client().CoreV1().Pods(pod.Namespace).Create(s.ctx, pod, metav1.CreateOptions{})
	if err != nil {
		s.Fatal(err)
	}
	return created
}

// reserve stores a Reservation for executors of a driver.
func (s *scheduler) reserve(driver *corev1.Pod, node string, executors int32) {
	s.Helper()
	reservation := &v1alpha1.Reservation{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "Reservation"},
		ObjectMeta: metav1.ObjectMeta{Namespace: driver.Namespace, Name: driver.Name},
		Spec: v1alpha1.ReservationSpec{
			Gang:  "spark/" + driver.Namespace + "/" + driver.Name,
			Owner: v1alpha1.ReservationOwner{APIVersion: "v1", Kind: "Pod", Name: driver.Name, UID: driver.UID},
			Slots: []v1alpha1.ReservedSlots{{Role: "executor", Node: node, Count: executors}},
		},
	}
	object, err := runtime.DefaultUnstructuredConverter.ToUnstructured(reservation)
	if err != nil {
		s.Fatal(err)
	}
	reservations := s.Dynamic.Resource(v1alpha1.ReservationResource).Namespace(driver.Namespace)
	if _, err := reservations.Create(s.ctx, &unstructured.Unstructured{Object: object}, metav1.CreateOptions{}); err != nil {
		s.Fatal(err)
	}
}

func sparkLabels(app, role string) map[string]string {
	return map[string]string{"spark-app-selector": app, "spark-role": role}
}

func TestTheAuditorsFindEveryFaultOfABadScheduler(t *testing.T) {
	ctx, c := testcluster.Start(t, testcluster.Spec{Nodes: 4, Shape: "cpu=4,memory=16Gi"})
	s := &scheduler{T: t, Cluster: c, ctx: ctx}

	// Sound: an application with its reservation, and a gang that is whole.
	sound := s.create("sound-driver", 1, sparkLabels("sound", "driver"))
	s.reserve(sound, "sim-00000", 2)
	s.bind("sound-driver", "sim-00000")
	for _, name := range []string{"sound-exec-1", "sound-exec-2"} {
		s.create(name, 1, sparkLabels("sound", "executor"))
		s.bind(name, "sim-00000")
	}
	if err := c.CreatePodGroups(ctx, testcluster.PodGroup{Name: "whole", Members: 2, CPUs: 1}); err != nil {
		t.Fatal(err)
	}
	s.bind("whole-0", "sim-00001")
	s.bind("whole-1", "sim-00001")

	// Faulty: half a gang, three pods of two CPUs on four, and a pod on the room
	// of executors that are still to come.
	if err := c.CreatePodGroups(ctx, testcluster.PodGroup{Name: "half", Members: 2, CPUs: 1}); err != nil {
		t.Fatal(err)
	}
	s.bind("half-0", "sim-00001")
	for _, name := range []string{"fat-1", "fat-2", "fat-3"} {
		s.create(name, 2, nil)
		s.bind(name, "sim-00002")
	}
	robbed := s.create("robbed-driver", 1, sparkLabels("robbed", "driver"))
	s.reserve(robbed, "sim-00003", 3)
	s.bind("robbed-driver", "sim-00003")
	s.create("thief", 1, nil)
	s.bind("thief", "sim-00003")
	for _, name := range []string{"robbed-exec-1", "robbed-exec-2"} {
		s.create(name, 1, sparkLabels("robbed", "executor"))
		s.bind(name, "sim-00003")
	}

	verdict, _ := c.Judge(t, 2)
	got := map[audit.Kind][]string{}
	for _, finding := range verdict.Findings {
		got[finding.Kind] = append(got[finding.Kind], finding.Object)
	}
	for kind, want := range map[audit.Kind]string{
		audit.Stranded: "default/half", audit.OverCommitted: "sim-00002", audit.Stolen: "default/thief",
	} {
		if len(got[kind]) != 1 || got[kind][0] != want {
			t.Errorf("%s: found %v, want only %s", kind, got[kind], want)
		}
	}
	if len(verdict.Findings) != 3 || len(verdict.Gaps) != 0 {
		t.Errorf("findings %v, gaps %v", verdict.Findings, verdict.Gaps)
	}
}
