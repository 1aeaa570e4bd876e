package spark

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	toolscache "k8s.io/client-go/tools/cache"

	"muster.sh/muster/operators/spark/plan"
)

func TestOfPodsTheViewKeepsWhatIsRead(t *testing.T) {
	metadata := metav1.ObjectMeta{
		Name: "driver", Labels: map[string]string{plan.LabelAppName: "pi"},
		OwnerReferences: []metav1.OwnerReference{{Kind: "SparkApplication", Name: "pi"}},
	}
	status := corev1.PodStatus{Phase: corev1.PodRunning, PodIP: "10.0.0.1", Reason: "Because"}
	pod := &corev1.Pod{
		ObjectMeta: metadata, Status: status,
		Spec: corev1.PodSpec{
			NodeName: "node-1", Volumes: []corev1.Volume{{Name: "data"}},
			Containers: []corev1.Container{{
				Name: "spark-kubernetes-driver", Args: []string{"driver"}, Env: []corev1.EnvVar{{Name: "SPARK_USER"}},
				Ports: []corev1.ContainerPort{{Name: "spark-ui", ContainerPort: 4050}},
			}},
		},
	}
	want, port := &corev1.Pod{ObjectMeta: metadata, Status: status, Spec: corev1.PodSpec{
		NodeName: "node-1", Containers: []corev1.Container{{Name: "spark-kubernetes-driver", Ports: pod.Spec.Containers[0].Ports}},
	}}, plan.WebUIPort(pod)
	pod.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "operator"}}
	got, err := slim(pod)
	if diff := cmp.Diff(any(want), got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	if kept := plan.WebUIPort(got.(*corev1.Pod)); kept != port || port == 0 {
		t.Errorf("its pages are on port %d, not %d", kept, port)
	}
}

func TestWordOfAPodThatIsGonePasses(t *testing.T) {
	gone := toolscache.DeletedFinalStateUnknown{Key: "default/driver"}
	if got, err := slim(gone); err != nil || got != gone {
		t.Errorf("got %v, %v", got, err)
	}
}
