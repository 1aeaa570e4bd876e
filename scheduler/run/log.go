package run

import (
	"k8s.io/klog/v2"

	"muster.sh/muster/scheduler/core"
)

// logDecision writes one line of what was decided. What concerns a gang is
// always told, what concerns one of its pods from -v=2.
func logDecision(logger klog.Logger, d core.Decision) {
	switch d := d.(type) {
	case core.Release:
		logger.V(2).Info("Release a member", "gang", d.Gang, "uid", d.Pod, "epoch", d.Epoch)
	case core.OpenLatch:
		logger.Info("Bind the gang", "gang", d.Gang, "epoch", d.Epoch)
	case core.ShutLatch:
		logger.Info("Turn the gang back", "gang", d.Gang, "epoch", d.Epoch, "reason", d.Reason)
	case core.StoreReservation:
		logger.Info("Store what is reserved", "gang", d.Gang, "epoch", d.Epoch, "slots", len(d.Slots), "leaving", d.Leaving)
	case core.DropReservation:
		logger.Info("Drop what is reserved", "gang", d.Gang)
	case core.Evict:
		logger.Info("Evict a member", "gang", d.Gang, "uid", d.Pod, "reason", d.Reason)
	case core.Spare:
		logger.Info("Spare a member", "gang", d.Gang, "uid", d.Pod)
	case core.Explain:
		logger.Info("Explain the gang", "gang", d.Gang, "code", d.Verdict.Code, "verdict", d.Verdict.String(), "waiting", len(d.Waiting))
	case core.Status:
		logger.V(2).Info("Report the gang", "gang", d.Gang, "phase", d.Phase, "bound", d.Bound, "min", d.Min)
	}
}
