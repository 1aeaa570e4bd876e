package effects

import (
	schedulingv1beta1 "k8s.io/api/scheduling/v1beta1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"muster.sh/muster/scheduler/gang"
)

var kubernetesGroups = groupAPI{
	resource: schedulingv1beta1.SchemeGroupVersion.WithResource("podgroups"), change: kubernetesStatus,
}

// kubernetesStatus sets the one condition of a PodGroup that is a scheduler's. Once
// it is true it stays so, whatever becomes of the gang.
func kubernetesStatus(found *unstructured.Unstructured, n news) map[string]any {
	c, ok := initiallyScheduled(n)
	var old schedulingv1beta1.PodGroup
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(found.Object, &old); err != nil || !ok {
		return nil
	}
	if meta.IsStatusConditionTrue(old.Status.Conditions, c.Type) {
		return nil
	}
	c.ObservedGeneration = old.Generation
	if !meta.SetStatusCondition(&old.Status.Conditions, c) {
		return nil
	}
	return map[string]any{"conditions": old.Status.Conditions}
}

// initiallyScheduled tells news in kube-scheduler's words, if it has any for them.
func initiallyScheduled(n news) (metav1.Condition, bool) {
	c := metav1.Condition{Type: schedulingv1beta1.PodGroupInitiallyScheduled}
	switch s, x := n.status, n.verdict; {
	case s != nil && s.whole():
		c.Status, c.Reason, c.LastTransitionTime = metav1.ConditionTrue, "Scheduled", metav1.NewTime(s.decided)
	case x != nil && x.Verdict.Code == gang.Running:
		c.Status, c.Reason, c.LastTransitionTime = metav1.ConditionTrue, "Scheduled", metav1.NewTime(x.decided)
	case x != nil && lacksRoom(x.Verdict.Code):
		c.Status, c.Reason, c.LastTransitionTime = metav1.ConditionFalse, schedulingv1beta1.PodGroupReasonUnschedulable, metav1.NewTime(x.decided)
		c.Message = x.Verdict.String()
	default:
		return c, false
	}
	return c, true
}
