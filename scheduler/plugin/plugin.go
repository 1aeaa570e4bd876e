// Package plugin is Muster's part in kube-scheduler's own cycle, a file for
// each extension point. It decides nothing: where a member may run, and what
// room is promised to whom, it reads from the Board; what it sees it tells the
// loop. Every profile of the binary has it, so that no pod takes room that is
// promised to another.
package plugin

import (
	"context"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	fwk "k8s.io/kube-scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/defaultbinder"
	frameworkruntime "k8s.io/kubernetes/pkg/scheduler/framework/runtime"

	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/numa"
)

// Name of the plugin in profiles and messages.
const Name = "Muster"

// Board is what the plugin reads of the plan. core.Board is one.
type Board interface {
	// Held returns the room that is promised on a node.
	Held(node string) []core.Held
	// Placement returns where a member may run.
	Placement(pod gang.PodID) (core.Placement, bool)
	// Zones returns what is known of a node's NUMA zones, or nil.
	Zones(node string) *core.Zones
}

// Options are what the plugin needs of the world.
type Options struct {
	Board Board
	// Member says whether a pod belongs to a gang.
	Member func(*v1.Pod) bool
	// Aligned says what a kubelet may take from NUMA zones for a pod; nil for nothing.
	Aligned func(*v1.Pod) *numa.Demand
	// Post hands an event to the loop. It must not wait.
	Post  func(core.Event)
	Latch *Latch
	// Contention is told of pods that the promised room keeps off a node.
	Contention *Contention
}

// Plugin is one profile's instance.
type Plugin struct {
	Options
	handle   fwk.Handle
	arrivals *arrivals
	binder   fwk.BindPlugin // kube-scheduler's own, for pods that are no members
}

var (
	_ fwk.PreEnqueuePlugin  = (*Plugin)(nil)
	_ fwk.PreFilterPlugin   = (*Plugin)(nil)
	_ fwk.FilterPlugin      = (*Plugin)(nil)
	_ fwk.ReservePlugin     = (*Plugin)(nil)
	_ fwk.BindPlugin        = (*Plugin)(nil)
	_ fwk.SignPlugin        = (*Plugin)(nil)
	_ fwk.EnqueueExtensions = (*Plugin)(nil)
)

// Factory returns what kube-scheduler makes the plugin of each profile with.
func Factory(o Options) frameworkruntime.PluginFactory {
	arrived := newArrivals() // of all profiles: they share the nodes
	return func(ctx context.Context, _ runtime.Object, handle fwk.Handle) (fwk.Plugin, error) {
		binder, err := defaultbinder.New(ctx, nil, handle)
		if err != nil {
			return nil, err
		}
		return &Plugin{Options: o, handle: handle, arrivals: arrived, binder: binder.(fwk.BindPlugin)}, nil
	}
}

// Name returns the plugin's name.
func (*Plugin) Name() string { return Name }

// cycle is what one scheduling cycle knows of its pod.
type cycle struct {
	// place is nil for a pod that is no member.
	place *core.Placement
	ask   ask
	// aligned is what a kubelet may take from NUMA zones; nil for nothing.
	aligned *numa.Demand
}

// Clone returns the cycle itself: it never changes.
func (c *cycle) Clone() fwk.StateData { return c }

const cycleKey fwk.StateKey = Name

func cycleOf(state fwk.CycleState) (*cycle, error) {
	data, err := state.Read(cycleKey)
	if err != nil {
		return nil, err
	}
	return data.(*cycle), nil
}

func idOf(pod *v1.Pod) gang.PodID { return gang.PodID(pod.UID) }
