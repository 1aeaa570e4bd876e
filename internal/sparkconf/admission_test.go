package sparkconf

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	podutil "k8s.io/kubernetes/pkg/api/pod"
	"k8s.io/kubernetes/pkg/apis/core"
	corev1conv "k8s.io/kubernetes/pkg/apis/core/v1"
	"k8s.io/kubernetes/plugin/pkg/admission/limitranger"
)

// admitted is a pod as the API server's own code stores it, the RuntimeClass
// plugin left out.
func admitted(t testing.TB, pod *corev1.Pod, limitRanges ...*corev1.LimitRange) *corev1.Pod {
	pod = pod.DeepCopy()
	corev1conv.SetObjectDefaults_Pod(pod)
	internal := &core.Pod{}
	if err := corev1conv.Convert_v1_Pod_To_core_Pod(pod, internal, nil); err != nil {
		t.Fatal(err)
	}
	for _, limitRange := range limitRanges {
		if err := (&limitranger.DefaultLimitRangerActions{}).MutateLimit(limitRange, "pods", internal); err != nil {
			t.Fatal(err)
		}
	}
	podutil.DefaultPodLevelResources(internal)
	stored := &corev1.Pod{}
	if err := corev1conv.Convert_core_Pod_To_v1_Pod(internal, stored, nil); err != nil {
		t.Fatal(err)
	}
	return stored
}
