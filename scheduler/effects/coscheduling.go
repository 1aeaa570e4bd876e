package effects

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"muster.sh/muster/scheduler/core"
)

var coschedulingGroups = groupAPI{
	resource: schema.GroupVersionResource{Group: "scheduling.x-k8s.io", Version: "v1alpha1", Resource: "podgroups"},
	change:   coschedulingStatus,
}

// Phases of the coscheduling plugin's PodGroups.
const (
	coschedulingPending    = "Pending"
	coschedulingScheduling = "Scheduling"
	coschedulingRunning    = "Running"
	coschedulingFinished   = "Finished"
	coschedulingFailed     = "Failed"
)

// coschedulingState is the part of a status that the plugin's controller sets time
// and again.
type coschedulingState struct {
	Phase     string `json:"phase"`
	Running   int    `json:"running"`
	Succeeded int    `json:"succeeded"`
	Failed    int    `json:"failed"`
}

// coschedulingStatus sets phase and numbers. The API has no conditions, so that
// verdicts are shown by events only.
func coschedulingStatus(found *unstructured.Unstructured, n news) map[string]any {
	if n.status == nil {
		return nil
	}
	var old struct {
		Spec struct {
			MinMember int `json:"minMember"`
		} `json:"spec"`
		Status coschedulingState `json:"status"`
	}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(found.Object, &old); err != nil {
		return nil // its gang is refused
	}
	now := coschedulingState{Running: n.status.Bound, Succeeded: n.succeeded, Failed: n.failed}
	now.Phase = coschedulingPhase(n.status.Status, now, old.Spec.MinMember, old.Status.Phase)
	if now == old.Status {
		return nil
	}
	return map[string]any{"phase": now.Phase, "running": now.Running, "succeeded": now.Succeeded, "failed": now.Failed}
}

// coschedulingPhase tells in the plugin's words where a gang is. Other than with
// the plugin, a group has failed when none of it is left, and not when one member
// has for which another may come.
func coschedulingPhase(s core.Status, now coschedulingState, minMember int, before string) string {
	switch {
	case s.Phase == core.Started && s.Bound >= s.Min:
		return coschedulingRunning
	case s.Phase != core.Collecting:
		return coschedulingScheduling
	case s.Members > 0:
		return coschedulingPending
	case now.Succeeded > 0 && now.Succeeded >= minMember:
		return coschedulingFinished
	case now.Failed > 0:
		return coschedulingFailed
	case before == coschedulingFinished || before == coschedulingFailed:
		return before // the pods that it was told by exist no more
	}
	return coschedulingPending
}
