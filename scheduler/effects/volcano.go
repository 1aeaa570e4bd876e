package effects

import (
	"reflect"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/uuid"
	volcano "volcano.sh/apis/pkg/apis/scheduling/v1beta1"

	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/gang"
)

var volcanoGroups = groupAPI{
	resource: volcano.SchemeGroupVersion.WithResource("podgroups"), mayLackStatus: true, change: volcanoStatus,
}

// volcanoStatus sets phase and numbers, and shows a verdict as a condition.
func volcanoStatus(found *unstructured.Unstructured, n news) map[string]any {
	var old volcano.PodGroup
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(found.Object, &old); err != nil {
		old = volcano.PodGroup{}
	}
	change := map[string]any{}
	if s := n.status; s != nil {
		now := old.Status
		now.Phase, now.Running, now.Succeeded, now.Failed = phase(s.Status, old.Status.Phase), int32(s.Bound), int32(n.succeeded), int32(n.failed)
		if n.verdict == nil && reflect.DeepEqual(now, old.Status) {
			return nil
		}
		change["phase"], change["running"], change["succeeded"], change["failed"] = now.Phase, now.Running, now.Succeeded, now.Failed
	}
	if n.verdict != nil {
		change["conditions"] = []volcano.PodGroupCondition{condition(n.verdict)}
	}
	return change
}

// phase tells in Volcano's words where a gang is, given what it was before.
func phase(s core.Status, before volcano.PodGroupPhase) volcano.PodGroupPhase {
	ran := before == volcano.PodGroupRunning || before == volcano.PodGroupUnknown
	switch {
	case s.Phase == core.Started && s.Bound >= s.Min:
		return volcano.PodGroupRunning
	case ran && s.Bound == 0 && s.Phase == core.Collecting:
		return volcano.PodGroupCompleted
	case ran:
		return volcano.PodGroupUnknown
	case s.Phase == core.Storing, s.Phase == core.Starting, s.Phase == core.Started:
		return volcano.PodGroupInqueue
	case before == volcano.PodGroupCompleted && s.Phase == core.Collecting:
		return volcano.PodGroupCompleted
	case s.Phase == core.Collecting && (s.Members == 0 || before == volcano.PodGroupInqueue):
		// Whoever owns it may create its pods only now.
		return volcano.PodGroupInqueue
	}
	return volcano.PodGroupPending
}

// condition tells a verdict in Volcano's words.
func condition(x *explainWrite) volcano.PodGroupCondition {
	c := volcano.PodGroupCondition{
		Type: volcano.PodGroupUnschedulableType, Status: v1.ConditionTrue,
		TransitionID: string(uuid.NewUUID()), LastTransitionTime: metav1.NewTime(x.decided),
		Reason: volcano.NotEnoughResourcesReason, Message: x.Verdict.String(),
	}
	switch x.Verdict.Code {
	case gang.Reserved, gang.Running:
		c.Type, c.Reason = volcano.PodGroupScheduled, "tasks in gang are ready to be scheduled"
	case gang.Collecting:
		c.Reason = volcano.NotEnoughPodsReason
	case gang.Refused, gang.Leaving, gang.Kept:
		c.Reason = string(x.Verdict.Code)
	}
	return c
}
