package run

import (
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/events"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/scheduler/profile"

	config "muster.sh/muster/api/config/v1alpha1"
)

// recorders makes the recorder of each profile.
func recorders(broadcast events.EventBroadcaster, c *config.SchedulerConfiguration, member func(*v1.Pod) bool) profile.RecorderFactory {
	return func(name string) events.EventRecorderLogger {
		r := broadcast.NewRecorder(scheme.Scheme, name)
		if c.Gangs.PodEvents {
			return r
		}
		return quiet{r, member}
	}
}

// quiet leaves out what kube-scheduler would tell of members of gangs: an
// event for each pod is the dearest thing that a scheduler can write. Of a gang
// one event tells, on its driver or PodGroup.
type quiet struct {
	events.EventRecorderLogger
	member func(*v1.Pod) bool
}

// Eventf records an event that is not about a member.
func (q quiet) Eventf(regarding, related runtime.Object, eventtype, reason, action, note string, args ...any) {
	if pod, ok := regarding.(*v1.Pod); ok && q.member(pod) {
		return
	}
	q.EventRecorderLogger.Eventf(regarding, related, eventtype, reason, action, note, args...)
}

// WithLogger returns a recorder that is as quiet.
func (q quiet) WithLogger(logger klog.Logger) events.EventRecorderLogger {
	return quiet{q.EventRecorderLogger.WithLogger(logger), q.member}
}
