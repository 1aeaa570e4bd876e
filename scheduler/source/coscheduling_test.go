package source

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// newCoschedulingGroup builds a PodGroup g of the coscheduling plugin.
func newCoschedulingGroup(spec map[string]any) *unstructured.Unstructured {
	u := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "scheduling.x-k8s.io/v1alpha1", "kind": "PodGroup", "spec": spec,
	}}
	u.SetNamespace("team")
	u.SetName("g")
	u.SetUID("uid-g")
	u.SetCreationTimestamp(metav1.NewTime(epoch))
	return u
}

func TestCoschedulingsPodGroupIsAGang(t *testing.T) {
	s := newStory(t)
	s.expect("synced")
	s.setPod(newPod("p", label("scheduling.x-k8s.io/pod-group", "g")))
	s.expect("p is default of coscheduling/team/g")
	s.setGroup(coschedulingGroups.declaration(newCoschedulingGroup(map[string]any{
		"minMember": int64(3), "minResources": map[string]any{"cpu": "6"}, "scheduleTimeoutSeconds": int64(10),
	})))
	s.expect("gang coscheduling/team/g; default 0..-1; min 3; needs cpu=6")
}

func TestCoschedulingsPodGroupNamesItsQueueByLabel(t *testing.T) {
	pg := newCoschedulingGroup(map[string]any{"minMember": int64(2)})
	pg.SetLabels(map[string]string{"muster.sh/queue": "train"})
	if d := coschedulingGroups.declaration(pg); d.broken != nil || d.gang.Queue != "train" {
		t.Fatalf("%+v", d)
	}
}

func TestCoschedulingsPodGroupIsNotOursBeforeAPodNamesIt(t *testing.T) {
	s := newStory(t)
	s.emptyGroups = true
	s.expect("synced")
	s.setGroup(coschedulingGroups.declaration(newCoschedulingGroup(map[string]any{"minMember": int64(3)})))
	s.expect()
}

func TestCoschedulingsPodGroupThatMakesNoSenseIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		spec map[string]any
		want string
	}{
		"a negative minimum": {
			map[string]any{"minMember": int64(-1)}, "spec.minMember=-1 is negative; set it to the number of pods that start together",
		},
		"negative resources": {
			map[string]any{"minResources": map[string]any{"cpu": "-1"}},
			"spec.minResources[cpu]=-1 is negative; set it to what the group needs in all, or leave it out",
		},
		"no number": {
			map[string]any{"minMember": "many"},
			"the PodGroup can't be read: unrecognized type: int32; mend its spec",
		},
	} {
		d := coschedulingGroups.declaration(newCoschedulingGroup(c.spec))
		if d.broken == nil || d.broken.Error() != c.want {
			t.Errorf("%s: %v, want %s", name, d.broken, c.want)
		}
		if d.gang.ID != "coscheduling/team/g" || d.gang.Owner.UID != "uid-g" {
			t.Errorf("%s: refused as %+v", name, d.gang)
		}
	}
}
