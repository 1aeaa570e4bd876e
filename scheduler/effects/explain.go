package effects

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/gang"
)

// explainWrite shows a verdict: by one event on the gang's owner, and by the
// PodScheduled condition of one pod that waits.
//
// The condition is on one pod per gang and not on each, as a gang that is held
// must cost the API server nothing per pod: on the driver, which stands for
// its executors too, or on the oldest pod of a PodGroup, whose own status says
// the same for the whole. Cluster autoscalers see from it that room is lacking,
// unless they are asked for it otherwise.
type explainWrite struct {
	core.Explain
	decided time.Time
	// What was sent already is not sent again by a retry.
	evented, conditioned bool
}

// due tells when the verdict is to be shown, if it has not changed by then.
func (w *explainWrite) due() time.Time {
	switch w.Verdict.Code {
	case gang.Collecting, gang.Behind:
		return w.decided.Add(passing)
	case gang.Reserved:
		return w.decided.Add(coming)
	}
	return w.decided.Add(gather)
}

// show sends the event and the condition.
func (e *Effects) show(ctx context.Context, w *explainWrite) error {
	waiting := e.representative(w)
	if !w.evented {
		if err := e.sendVerdict(ctx, w, waiting); err != nil {
			return fmt.Errorf("send event: %w", err)
		}
		w.evented = true
	}
	if waiting != nil && !w.conditioned && waits(w.Verdict.Code) {
		if err := e.cfg.setScheduled(ctx, waiting, e.reason(w.Verdict.Code), w.Verdict.String(), w.decided); err != nil {
			return err
		}
		w.conditioned = true
	}
	return e.asks.unmark(ctx, w)
}

// representative is the pod that stands for those that wait, or nil.
func (e *Effects) representative(w *explainWrite) *v1.Pod {
	var first *v1.Pod
	for _, id := range w.Waiting {
		p := e.cfg.Pod(id)
		if p == nil || p.Spec.NodeName != "" {
			continue
		}
		if string(p.UID) == w.Owner.UID {
			return p
		}
		if first == nil {
			first = p
		}
	}
	return first
}

// waits says whether a gang with this verdict has members that wait for good.
func waits(c gang.Code) bool {
	return c != gang.Reserved && c != gang.Running
}

// lacksRoom says whether more room would help, which is what autoscalers ask.
func lacksRoom(c gang.Code) bool {
	switch c {
	case gang.TooBig, gang.Behind, gang.NoRoom, gang.Vetoed, gang.Short:
		return true
	}
	return false
}

// sendVerdict makes one event on the owner, or, where the gang is not declared
// yet and has none, on the pod.
func (e *Effects) sendVerdict(ctx context.Context, w *explainWrite, waiting *v1.Pod) error {
	about := v1.ObjectReference{
		APIVersion: w.Owner.APIVersion, Kind: w.Owner.Kind, Namespace: w.Owner.Namespace, Name: w.Owner.Name, UID: types.UID(w.Owner.UID),
	}
	if about.Name == "" {
		if waiting == nil {
			return nil
		}
		about = v1.ObjectReference{APIVersion: "v1", Kind: "Pod", Namespace: waiting.Namespace, Name: waiting.Name, UID: waiting.UID}
	}
	kind := v1.EventTypeNormal
	switch w.Verdict.Code {
	case gang.Refused, gang.Barred, gang.BackedOff, gang.NeverInQueue, gang.TooBig, gang.Vetoed, gang.Short, gang.Leaving, gang.Kept:
		kind = v1.EventTypeWarning
	}
	return e.cfg.sendEvent(ctx, happening{
		about: about, kind: kind, reason: "Gang" + string(w.Verdict.Code), note: w.Verdict.String(), at: w.decided,
	})
}

// reason is that of the condition. Autoscalers act on a pod that is Unschedulable. They
// must not on one for which a request asks: it would get room twice.
func (e *Effects) reason(c gang.Code) string {
	asked := e.cfg.Autoscaling.Request != "" && !e.cfg.Autoscaling.MarkPods && c != gang.Vetoed
	if lacksRoom(c) && !asked {
		return v1.PodReasonUnschedulable
	}
	return "Gang" + string(c)
}

// setScheduled says on a pod why it is not scheduled. The UID in the patch makes sure
// that it is this pod and not a later one of the same name.
func (c *Config) setScheduled(ctx context.Context, p *v1.Pod, reason, message string, since time.Time) error {
	condition := v1.PodCondition{
		Type: v1.PodScheduled, Status: v1.ConditionFalse, Reason: reason, Message: message,
		LastTransitionTime: metav1.NewTime(since),
	}
	for _, old := range p.Status.Conditions {
		if old.Type == v1.PodScheduled && old.Status == condition.Status {
			condition.LastTransitionTime = old.LastTransitionTime
		}
	}
	patch, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"uid": p.UID},
		"status":   map[string]any{"conditions": []v1.PodCondition{condition}},
	})
	if err != nil {
		return err
	}
	_, err = c.Client.CoreV1().Pods(p.Namespace).Patch(ctx, p.Name, types.StrategicMergePatchType, patch, metav1.PatchOptions{}, "status")
	if err == nil || apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return nil // or the pod that was to be told is gone
	}
	return fmt.Errorf("set condition PodScheduled of pod %s/%s: %w", p.Namespace, p.Name, err)
}
