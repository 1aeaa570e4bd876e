package run

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/klog/v2"
	fwk "k8s.io/kube-scheduler/framework"
	kubescheduler "k8s.io/kubernetes/pkg/scheduler"
	"k8s.io/kubernetes/pkg/scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/names"

	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/hold"
	"muster.sh/muster/scheduler/plugin"
)

// failures handles pods whose cycle has failed. kube-scheduler's own handler
// writes an event and a status for each, in the goroutine that schedules; for a
// gang that is refused that would be dozens of writes for one reason. Members
// go back to the hold instead, and the loop is told why.
type failures struct {
	stock     kubescheduler.FailureHandlerFn
	member    func(*v1.Pod) bool
	queue     *hold.Queue
	placement func(gang.PodID) (core.Placement, bool)
	post      func(core.Event)
	vetoed    func(plugin string)
}

func (f *failures) handle(ctx context.Context, profile framework.Framework, info *framework.QueuedPodInfo, status *fwk.Status, nominating *fwk.NominatingInfo, start time.Time) {
	pod := info.Pod
	if !f.member(pod) {
		f.stock(ctx, profile, info, status, nominating, start)
		return
	}
	logger := klog.FromContext(ctx)
	id := gang.PodID(pod.UID)
	place, _ := f.placement(id)
	epoch, parked := f.queue.Park(logger, pod)
	if !parked {
		logger.V(2).Info("The cycle of a member that is gone has ended", "pod", klog.KObj(pod), "reason", status.Message())
		return
	}
	e := explainFailure(ctx, status, place)
	e.ID, e.Epoch = id, epoch
	if e.Veto {
		f.vetoed(e.Plugin)
	}
	logger.V(2).Info("A member is back in the hold", "pod", klog.KObj(pod), "gang", place.Gang, "epoch", epoch,
		"node", e.Node, "veto", e.Veto, "bindFailed", e.BindFailed, "plugin", e.Plugin, "reason", e.Reason)
	f.post(e)
}

// ofRoom are plugins that judge what the plan has judged as well. They differ from it
// only while one of the two has yet to hear of a pod.
var ofRoom = []string{plugin.Name, names.NodeResourcesFit, names.NodePorts}

// explainFailure tells what a failed status of a member says: which check
// refused which node, and whether it was a check at all.
func explainFailure(ctx context.Context, status *fwk.Status, place core.Placement) core.Parked {
	err := status.AsError()
	fit := (*framework.FitError)(nil)
	if errors.As(err, &fit) {
		// What PreFilter says counts for all nodes, the planned one among them.
		if on := fit.Diagnosis.NodeToStatus.Get(place.Node); on != nil {
			status, err = on, on.AsError()
		}
	}
	e := core.Parked{Veto: true, Node: place.Node, Plugin: status.Plugin(), Reason: status.Message()}
	r := (*plugin.Refusal)(nil)
	switch {
	case errors.As(err, &r):
		e.Plugin, e.Reason, e.BindFailed = plugin.Name, r.Reason, r.BindFailed
		e.Veto = !r.Stale && !r.BindFailed
		if r.Node != "" {
			e.Node = r.Node
		}
	case place.Roams && fit != nil:
		// A member that roams was tried on all nodes.
		e.Node, e.Plugin, e.Reason = "", strings.Join(sets.List(fit.Diagnosis.UnschedulablePlugins), ", "), fit.Error()
	}
	if e.Reason == "" && err != nil {
		e.Reason = err.Error()
	}
	if e.Plugin == "" {
		e.Plugin = pluginIn(e.Reason)
	}
	e.Room = e.Veto && slices.Contains(ofRoom, e.Plugin)
	if ctx.Err() != nil {
		// The scheduler stops; that is no fault of the node.
		e.Veto = false
	}
	return e
}

// inMessage finds the plugin in an error of kube-scheduler's framework, which
// names it nowhere else.
var inMessage = regexp.MustCompile(`^running (?:\w+ plugin )?"([^"]+)"`)

func pluginIn(message string) string {
	if m := inMessage.FindStringSubmatch(message); m != nil {
		return m[1]
	}
	return "kube-scheduler"
}
