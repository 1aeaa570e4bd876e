package localcluster

import (
	"context"
	"os"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"
)

func TestUpSimulated(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a whole cluster; run without -short")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cluster, err := Up(ctx, Spec{Dir: t.TempDir(), SimNodes: 3, AuditLog: true, Progress: os.Stderr})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cluster.Close(); err != nil {
			t.Error(err)
		}
	})
	runPod(ctx, t, cluster.Client(), "before")
	if err := cluster.Kill("control-plane"); err != nil {
		t.Fatal(err)
	}
	if err := cluster.Start(ctx, "control-plane"); err != nil {
		t.Fatal(err)
	}
	if _, err := cluster.Client().CoreV1().Pods("default").Get(ctx, "before", metav1.GetOptions{}); err != nil {
		t.Errorf("a pod made before the kill is lost: %v", err)
	}
	runPod(ctx, t, cluster.Client(), "after")
}

func runPod(ctx context.Context, t *testing.T, client kubernetes.Interface, name string) {
	t.Helper()
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "default"},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{
			Name: "main", Image: "none",
			Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("1")}},
		}}},
	}
	if _, err := client.CoreV1().Pods("default").Create(ctx, pod, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	list := cache.NewFilteredListWatchFromClient(client.CoreV1().RESTClient(), "pods", "default",
		func(options *metav1.ListOptions) { options.FieldSelector = "metadata.name=" + name })
	_, err := watchtools.UntilWithSync(ctx, list, &corev1.Pod{}, nil, func(event watch.Event) (bool, error) {
		pod, ok := event.Object.(*corev1.Pod)
		return ok && pod.Status.Phase == corev1.PodRunning, nil
	})
	if err != nil {
		t.Fatalf("pod %s does not run: %v", name, err)
	}
}
