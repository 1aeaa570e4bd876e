package run

import (
	"context"
	"errors"
	"fmt"
	"testing"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/tools/events"
	fwk "k8s.io/kube-scheduler/framework"
	kubescheduler "k8s.io/kubernetes/pkg/scheduler"
	"k8s.io/kubernetes/pkg/scheduler/framework"

	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/plugin"
)

// unfit is what schedulePod returns when no node is left.
func unfit(absent *fwk.Status, byNode map[string]*fwk.Status, plugins ...string) *fwk.Status {
	d := framework.Diagnosis{NodeToStatus: framework.NewDefaultNodeToStatus(), UnschedulablePlugins: sets.New(plugins...)}
	if absent != nil {
		d.NodeToStatus.SetAbsentNodesStatus(absent)
	}
	for node, s := range byNode {
		d.NodeToStatus.Set(node, s)
	}
	return fwk.NewStatus(fwk.Unschedulable).WithError(&framework.FitError{Pod: &v1.Pod{}, NumAllNodes: 3, Diagnosis: d})
}

func refusal(r plugin.Refusal) *fwk.Status {
	return fwk.NewStatus(fwk.UnschedulableAndUnresolvable, r.Reason).WithError(&r).WithPlugin(plugin.Name)
}

func TestWhyAMemberFailed(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	wrapped := func(point string, err error) *fwk.Status {
		return fwk.AsStatus(fmt.Errorf("running %s plugin %q: %w", point, "P", err))
	}
	for name, tc := range map[string]struct {
		ctx    context.Context
		status *fwk.Status
		roams  bool
		want   core.Parked
	}{
		"Filter refused its node": {
			status: unfit(fwk.NewStatus(fwk.UnschedulableAndUnresolvable, "other nodes"), map[string]*fwk.Status{"planned": fwk.NewStatus(fwk.Unschedulable, "a taint").WithPlugin("TaintToleration")}),
			want:   core.Parked{Veto: true, Node: "planned", Plugin: "TaintToleration", Reason: "a taint"},
		},
		"room on its node was not free yet": {
			status: unfit(fwk.NewStatus(fwk.UnschedulableAndUnresolvable, "other nodes"), map[string]*fwk.Status{"planned": fwk.NewStatus(fwk.Unschedulable, "Insufficient cpu").WithPlugin("NodeResourcesFit")}),
			want:   core.Parked{Veto: true, Node: "planned", Plugin: "NodeResourcesFit", Reason: "Insufficient cpu", Room: true},
		},
		"no node took a member that roams": {
			roams: true,
			status: unfit(fwk.NewStatus(fwk.Unschedulable, "no room"), map[string]*fwk.Status{
				"planned": fwk.NewStatus(fwk.Unschedulable, "apart").WithPlugin("InterPodAffinity"),
			}, "NodeResourcesFit", "InterPodAffinity"),
			want: core.Parked{Veto: true, Plugin: "InterPodAffinity, NodeResourcesFit", Reason: "0/3 nodes are available: 1 apart, 2 no room."},
		},
		"another plugin's PreFilter refused": {
			status: unfit(fwk.NewStatus(fwk.UnschedulableAndUnresolvable, "no claim").WithPlugin("VolumeBinding"), nil),
			want:   core.Parked{Veto: true, Node: "planned", Plugin: "VolumeBinding", Reason: "no claim"},
		},
		"our PreFilter refused a node that was to be checked": {
			status: unfit(refusal(plugin.Refusal{Node: "checked", Reason: "overdrawn"}), nil),
			want:   core.Parked{Veto: true, Node: "checked", Plugin: "Muster", Reason: "overdrawn", Room: true},
		},
		"its plan has gone before the cycle": {
			status: unfit(refusal(plugin.Refusal{Stale: true, Reason: "taken back"}), nil),
			want:   core.Parked{Node: "planned", Plugin: "Muster", Reason: "taken back"},
		},
		"the latch was shut": {
			status: wrapped("Bind", &plugin.Refusal{Stale: true, Reason: "planned anew"}),
			want:   core.Parked{Node: "planned", Plugin: "Muster", Reason: "planned anew"},
		},
		"the bind failed": {
			status: wrapped("Bind", &plugin.Refusal{Node: "planned", BindFailed: true, Reason: "bind: no"}),
			want:   core.Parked{Node: "planned", Plugin: "Muster", Reason: "bind: no", BindFailed: true},
		},
		"PreBind failed": {
			status: wrapped("PreBind", errors.New("no volume")),
			want:   core.Parked{Veto: true, Node: "planned", Plugin: "P", Reason: `running PreBind plugin "P": no volume`},
		},
		"Reserve failed": {
			status: wrapped("Reserve", errors.New("raced")),
			want:   core.Parked{Veto: true, Node: "planned", Plugin: "P", Reason: `running Reserve plugin "P": raced`},
		},
		"Reserve refused": {
			status: unfit(nil, map[string]*fwk.Status{"planned": fwk.NewStatus(fwk.Unschedulable, "full").WithPlugin("P")}),
			want:   core.Parked{Veto: true, Node: "planned", Plugin: "P", Reason: "full"},
		},
		"there are no nodes": {
			status: fwk.NewStatus(fwk.UnschedulableAndUnresolvable).WithError(kubescheduler.ErrNoNodesAvailable),
			want:   core.Parked{Veto: true, Node: "planned", Plugin: "kube-scheduler", Reason: kubescheduler.ErrNoNodesAvailable.Error()},
		},
		"the scheduler stops": {
			ctx: ended, status: wrapped("PreBind", context.Canceled),
			want: core.Parked{Node: "planned", Plugin: "P", Reason: `running PreBind plugin "P": context canceled`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := tc.ctx
			if ctx == nil {
				ctx = t.Context()
			}
			if got := explainFailure(ctx, tc.status, core.Placement{Node: "planned", Roams: tc.roams}); got != tc.want {
				t.Errorf("got  %+v\nwant %+v", got, tc.want)
			}
		})
	}
}

type recorded struct{ *events.FakeRecorder }

func (r recorded) Eventf(regarding, _ runtime.Object, _, reason, _, _ string, _ ...any) {
	r.Events <- regarding.(metav1.Object).GetName() + " " + reason
}

func TestNoEventIsWrittenForAMember(t *testing.T) {
	q := quiet{recorded{events.NewFakeRecorder(10)}, func(p *v1.Pod) bool { return p.Name == "member" }}
	for _, name := range []string{"member", "single"} {
		q.Eventf(&v1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name}}, nil, v1.EventTypeNormal, "Scheduled", "Binding", "")
	}
	q.Eventf(&v1.Node{ObjectMeta: metav1.ObjectMeta{Name: "node"}}, nil, v1.EventTypeNormal, "X", "Y", "")
	out := q.EventRecorderLogger.(recorded).Events
	if len(out) != 2 || <-out != "single Scheduled" || <-out != "node X" {
		t.Error("not the events of the single pod and the node")
	}
}
