package effects

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/gang"
)

var labelled = gang.Object{APIVersion: "scheduling.x-k8s.io/v1alpha1", Kind: podGroupKind, Namespace: "team", Name: "g", UID: "uid-g"}

const labelledGang = gang.ID("coscheduling/team/g")

func newCoschedulingGroup(status map[string]any) *unstructured.Unstructured {
	u := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": labelled.APIVersion, "kind": labelled.Kind, "spec": map[string]any{"minMember": int64(2)}, "status": status,
	}}
	u.SetNamespace("team")
	u.SetName("g")
	u.SetUID("uid-g")
	return u
}

func TestCoschedulingsPodGroupGetsPhaseAndNumbers(t *testing.T) {
	b := newBench(t, newCoschedulingGroup(map[string]any{"occupiedBy": "team/j"}))
	b.Do(core.Status{Gang: labelledGang, Owner: labelled, Phase: core.Started, Members: 2, Bound: 2, Min: 2})
	b.Do(explain(labelled, labelledGang, gang.Running))
	b.flush(labelledGang)
	b.writes("create events", "patch podgroups/status")
	u, err := b.dynamic.Resource(coschedulingGroups.resource).Namespace("team").Get(t.Context(), "g", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	status, _, _ := unstructured.NestedMap(u.Object, "status")
	for field, want := range map[string]any{"phase": "Running", "running": int64(2), "succeeded": int64(4), "failed": int64(1), "occupiedBy": "team/j"} {
		if status[field] != want {
			t.Errorf("status.%s is %v, want %v", field, status[field], want)
		}
	}

	b.Do(core.Status{Gang: labelledGang, Owner: labelled, Phase: core.Started, Members: 2, Bound: 2, Min: 2})
	b.Do(explain(labelled, labelledGang, gang.Short))
	b.flush(labelledGang)
	b.writes("create events") // nothing of the status is news
}

func TestCoschedulingPhase(t *testing.T) {
	nobody, there := counts{0, 0, 2}, counts{2, 0, 2}
	for _, c := range []struct {
		phase             core.Phase
		counts            counts
		succeeded, failed int
		before            string
		want              string
	}{
		{core.Collecting, counts{1, 0, 2}, 0, 0, "", "Pending"},
		{core.Waiting, there, 0, 0, "Pending", "Scheduling"},
		{core.Starting, there, 0, 0, "Pending", "Scheduling"},
		{core.Started, counts{2, 2, 2}, 0, 0, "Scheduling", "Running"},
		{core.Started, counts{1, 1, 1}, 1, 0, "Running", "Running"},    // one has done its work
		{core.Started, counts{1, 1, 2}, 0, 1, "Running", "Scheduling"}, // another may come
		{core.Leaving, counts{2, 1, 2}, 0, 1, "Running", "Scheduling"},
		{core.Collecting, nobody, 2, 0, "Running", "Finished"},
		{core.Collecting, nobody, 2, 1, "Running", "Finished"}, // in a second try
		{core.Collecting, nobody, 1, 1, "Running", "Failed"},
		{core.Collecting, nobody, 0, 0, "Running", "Pending"}, // they were deleted
		{core.Collecting, nobody, 0, 0, "Finished", "Finished"},
		{core.Collecting, nobody, 0, 0, "Failed", "Failed"},
		{core.Waiting, there, 2, 0, "Finished", "Scheduling"}, // it runs once more
	} {
		s := core.Status{Phase: c.phase, Members: c.counts.members, Bound: c.counts.bound, Min: c.counts.min}
		now := coschedulingState{Running: c.counts.bound, Succeeded: c.succeeded, Failed: c.failed}
		if got := coschedulingPhase(s, now, 2, c.before); got != c.want {
			t.Errorf("%s with %+v, %d succeeded, %d failed after %q: %s, want %s", c.phase, c.counts, c.succeeded, c.failed, c.before, got, c.want)
		}
	}
}
