package floor

import (
	"context"
	"fmt"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
	corelisters "k8s.io/client-go/listers/core/v1"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/cache"
)

func TestEveryPodOfOursIsBoundOnceAndNoNodeHasTooMany(t *testing.T) {
	const nodes, cpus, pods = 3, 4, 12
	client := fake.NewClientset()
	for i := range nodes {
		n := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("n%d", i)}}
		n.Status.Allocatable = corev1.ResourceList{corev1.ResourceCPU: *resource.NewQuantity(cpus, resource.DecimalSI)}
		must(t, client.Tracker().Add(n))
	}
	for i := range pods {
		must(t, client.Tracker().Add(newPod(fmt.Sprintf("p%d", i), Name, "")))
	}
	must(t, client.Tracker().Add(newPod("bound", Name, "n0")))
	must(t, client.Tracker().Add(newPod("foreign", "another", "")))

	var mu sync.Mutex
	var done sync.WaitGroup
	done.Add(pods)
	on, bound := map[string]int{}, map[string]int{}
	client.PrependReactor("create", "pods", func(a clienttesting.Action) (bool, runtime.Object, error) {
		b := a.(clienttesting.CreateAction).GetObject().(*corev1.Binding)
		mu.Lock()
		defer mu.Unlock()
		on[b.Target.Name]++
		if bound[b.Name]++; bound[b.Name] == 1 {
			done.Done()
		}
		return true, nil, nil
	})
	ctx, cancel := context.WithCancel(t.Context())
	s, err := start(ctx, client)
	must(t, err)
	done.Wait()
	cancel()
	s.binding.Wait()
	if len(bound) != pods || bound["bound"]+bound["foreign"] > 0 {
		t.Errorf("bound: %v", bound)
	}
	for node, n := range on {
		if n > cpus {
			t.Errorf("%d pods on %s, which has room for %d", n, node, cpus)
		}
	}
}

func TestWithoutNodesThereIsNothingToBindTo(t *testing.T) {
	s := &scheduler{pending: make(chan *corev1.Pod, 1)}
	s.pending <- newPod("p", Name, "")
	none := corelisters.NewNodeLister(cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{}))
	if err := s.pairUp(t.Context(), none, nil); err == nil {
		t.Error("a pod has got a node")
	}
}

func newPod(name, scheduler, node string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name, UID: types.UID(name)},
		Spec:       corev1.PodSpec{SchedulerName: scheduler, NodeName: node},
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
