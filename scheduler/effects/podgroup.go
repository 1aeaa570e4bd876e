package effects

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"time"

	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/client-go/dynamic"
	volcano "volcano.sh/apis/pkg/apis/scheduling/v1beta1"

	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/gang"
)

const podGroupKind = "PodGroup"

var podGroupResource = volcano.SchemeGroupVersion.WithResource("podgroups")

// statusWrite brings the status of a PodGroup up to date.
type statusWrite struct {
	core.Status
	decided time.Time
}

// due tells when the status is to be written, if it has not changed by then.
func (w *statusWrite) due() time.Time {
	if w.whole() || w.Members == 0 {
		return w.decided.Add(gather)
	}
	return w.decided.Add(passing)
}

func (w *statusWrite) whole() bool { return w.Phase == core.Started && w.Bound >= w.Min }

// podGroup tells of the PodGroup whose status is to be written, if one is.
func (w work) podGroup() (gang.ID, gang.Object, bool) {
	if w.status != nil {
		return w.status.Gang, w.status.Owner, true
	}
	if w.explain != nil && w.explain.Owner.Kind == podGroupKind {
		return w.explain.Gang, w.explain.Owner, true
	}
	return "", gang.Object{}, false
}

// showPodGroup writes the status of a PodGroup: its phase and numbers, and the
// verdict as a condition. Either may be nil.
func (e *Effects) showPodGroup(ctx context.Context, owner gang.Object, x *explainWrite, s *statusWrite) error {
	client := e.cfg.Dynamic.Resource(podGroupResource).Namespace(owner.Namespace)
	found, err := client.Get(ctx, owner.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) || err == nil && string(found.GetUID()) != owner.UID {
		return nil // nobody is left to be told
	}
	if err != nil {
		return fmt.Errorf("read PodGroup %s/%s: %w", owner.Namespace, owner.Name, err)
	}
	var old volcano.PodGroup
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(found.Object, &old); err != nil {
		old = volcano.PodGroup{}
	}
	change := map[string]any{}
	if s != nil {
		now := old.Status
		succeeded, failed := e.cfg.Ended(s.Gang)
		now.Phase, now.Running, now.Succeeded, now.Failed = phase(s.Status, old.Status.Phase), int32(s.Bound), int32(succeeded), int32(failed)
		if x == nil && reflect.DeepEqual(now, old.Status) {
			return nil
		}
		change["phase"], change["running"], change["succeeded"], change["failed"] = now.Phase, now.Running, now.Succeeded, now.Failed
	}
	if x != nil {
		change["conditions"] = []volcano.PodGroupCondition{condition(x)}
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"uid": owner.UID}, "status": change})
	if err != nil {
		return fmt.Errorf("write status of PodGroup %s/%s: %w", owner.Namespace, owner.Name, err)
	}
	err = patchStatus(ctx, client, owner.Name, patch)
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// patchStatus writes a status. Volcano has shipped its PodGroups without the
// status subresource as well as with it: without it, the status is written like
// any other field.
func patchStatus(ctx context.Context, client dynamic.ResourceInterface, name string, patch []byte) error {
	_, err := client.Patch(ctx, name, types.MergePatchType, patch, metav1.PatchOptions{}, "status")
	if apierrors.IsNotFound(err) {
		_, err = client.Patch(ctx, name, types.MergePatchType, patch, metav1.PatchOptions{})
	}
	return err
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
	case gang.Refused:
		c.Reason = "Refused"
	}
	return c
}
