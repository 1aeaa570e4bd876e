package effects

import (
	"context"
	"errors"
	"fmt"
	"time"

	v1 "k8s.io/api/core/v1"

	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/gang"
)

const (
	// marksPerSecond bounds how many pods are marked in a second, of all gangs.
	marksPerSecond = 100
	// untilMore is how long who has found that used up waits.
	untilMore = time.Second
)

// errTooMany says that enough pods were marked for the moment.
var errTooMany = errors.New("too many conditions of pods in a second")

// markAll marks the pods for which a gang asks for room. It tells in how long to go
// on where there are too many for one time.
func (a *asks) markAll(ctx context.Context, d *core.AskForRoom) (again time.Duration, err error) {
	if d == nil || !a.Autoscaling.MarkPods {
		return 0, nil
	}
	message := fmt.Sprintf("waits for room together with its gang, %s %s", d.Owner.Kind, d.Owner.Name)
	for _, l := range d.Lacks {
		err := a.mark(ctx, l.Pods, func(p *v1.Pod) bool { return !isMarked(p) }, v1.PodReasonUnschedulable, message)
		if errors.Is(err, errTooMany) {
			return untilMore, nil
		}
		if err != nil {
			return 0, err
		}
	}
	return 0, nil
}

// unmark takes the marks back when a gang waits for something that room does not cure.
func (a *asks) unmark(ctx context.Context, w *explainWrite) error {
	if !a.Autoscaling.MarkPods || lacksRoom(w.Verdict.Code) || !waits(w.Verdict.Code) {
		return nil
	}
	return a.mark(ctx, w.Waiting, isMarked, "Gang"+string(w.Verdict.Code), w.Verdict.String())
}

// mark sets the condition PodScheduled of those pods that need it.
func (a *asks) mark(ctx context.Context, pods []gang.PodID, needs func(*v1.Pod) bool, reason, message string) error {
	for _, id := range pods {
		p := a.Pod(id)
		if p == nil || p.Spec.NodeName != "" || !needs(p) {
			continue
		}
		if !a.marks.TryAccept() {
			return errTooMany
		}
		if err := a.setScheduled(ctx, p, reason, message, a.Clock.Now()); err != nil {
			return err
		}
	}
	return nil
}

// isMarked says whether autoscalers act on a pod.
func isMarked(p *v1.Pod) bool {
	for _, c := range p.Status.Conditions {
		if c.Type == v1.PodScheduled {
			return c.Status == v1.ConditionFalse && c.Reason == v1.PodReasonUnschedulable
		}
	}
	return false
}
