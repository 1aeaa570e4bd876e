package source

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	volcano "volcano.sh/apis/pkg/apis/scheduling/v1beta1"

	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/gang"
)

// group is a PodGroup and the pods of ours that name it. Either may be there
// without the other: pods wait for their group, and a group without pods of
// ours is another scheduler's, which is not touched, unless we were told that
// there is no other.
type group struct {
	spec *volcano.PodGroup
	// broken says why the spec could not be read at all.
	broken error
	// members that have not ended, and the roles that members were seen in.
	members int
	roles   map[string]bool
	// ended are pods that have ended and still exist, with their last phase.
	ended map[types.UID]v1.PodPhase
	// told is the last event about the gang, if there was one.
	told core.Event
}

func (c *collector) group(id gang.ID) *group {
	g := c.groups[id]
	if g == nil {
		g = &group{roles: map[string]bool{}, ended: map[types.UID]v1.PodPhase{}}
		c.groups[id] = g
	}
	return g
}

func (c *collector) joinGroup(p *pod, claim claim) {
	id := gang.NewID(KindPodGroup, p.obj.Namespace, claim.name)
	p.gang, p.role = id, claim.role
	g := c.group(id)
	g.members++
	g.roles[claim.role] = true
	c.declareGroup(id, g)
}

// leaveGroup takes a member out that has ended.
func (c *collector) leaveGroup(id gang.ID, g *group) {
	g.members--
	c.dropGroupIfUnused(id, g)
}

func (c *collector) dropGroupIfUnused(id gang.ID, g *group) {
	if g.members == 0 && len(g.ended) == 0 && g.spec == nil {
		delete(c.groups, id)
	}
}

// countEnded notes a pod of a group that has ended.
func (c *collector) countEnded(p *v1.Pod) {
	if claim := classify(p); claim.kind == KindPodGroup && c.ours(p) {
		c.group(gang.NewID(KindPodGroup, p.Namespace, claim.name)).ended[p.UID] = p.Status.Phase
	}
}

// forgetEnded takes a pod that does not exist any more out of the count.
func (c *collector) forgetEnded(p *v1.Pod) {
	id, _, _ := GangOf(p)
	if g := c.groups[id]; g != nil {
		delete(g.ended, p.UID)
		c.dropGroupIfUnused(id, g)
	}
}

// ended counts the members of a PodGroup that have ended.
func (c *collector) ended(id gang.ID) (succeeded, failed int) {
	g := c.groups[id]
	if g == nil {
		return 0, 0
	}
	for _, phase := range g.ended {
		if phase == v1.PodSucceeded {
			succeeded++
		} else {
			failed++
		}
	}
	return succeeded, failed
}

// setGroup takes a new or changed PodGroup in; broken says why its spec could
// not be read.
func (c *collector) setGroup(pg *volcano.PodGroup, broken error) {
	id := groupID(pg)
	g := c.group(id)
	g.spec, g.broken = pg, broken
	c.declareGroup(id, g)
}

// removeGroup takes in that a PodGroup does not exist any more. Its pods wait
// for it to come back.
func (c *collector) removeGroup(pg *volcano.PodGroup) {
	id := groupID(pg)
	g := c.groups[id]
	if g == nil {
		return
	}
	if g.told != nil {
		c.emit(core.GangGone{ID: id})
	}
	g.spec, g.told = nil, nil
	c.dropGroupIfUnused(id, g)
}

// removeAllGroups takes in that the API of PodGroups is not served any more.
func (c *collector) removeAllGroups() {
	for _, id := range sortedKeys(c.groups) {
		if spec := c.groups[id].spec; spec != nil {
			c.removeGroup(spec)
		}
	}
}

func groupID(pg *volcano.PodGroup) gang.ID { return gang.NewID(KindPodGroup, pg.Namespace, pg.Name) }

// declareGroup tells the gang, or why it can't be one, if that is news.
func (c *collector) declareGroup(id gang.ID, g *group) {
	if g.spec == nil || len(g.roles) == 0 && !c.emptyGroups {
		return
	}
	declared, err := podGroup(id, g.spec, g.roles)
	if g.broken != nil {
		err = fmt.Errorf("the PodGroup can't be read: %w; mend its spec", g.broken)
	}
	var e core.Event = core.GangSet{Gang: declared}
	if err != nil {
		e = core.GangRefused{
			ID: id, Owner: groupOwner(g.spec), Created: g.spec.CreationTimestamp.Time,
			Verdict: gang.Verdict{Code: gang.Refused, Detail: err.Error()},
		}
	}
	if !reflect.DeepEqual(g.told, e) {
		g.told = e
		c.emit(e)
	}
}

func groupOwner(pg *volcano.PodGroup) gang.Object {
	return gang.Object{
		APIVersion: volcano.SchemeGroupVersion.String(), Kind: "PodGroup",
		Namespace: pg.Namespace, Name: pg.Name, UID: string(pg.UID),
	}
}

// podGroup converts a PodGroup. Roles are its tasks, and those that members
// have been seen in. A group that asks for no member at all starts with its
// first one.
func podGroup(id gang.ID, pg *volcano.PodGroup, seen map[string]bool) (gang.Gang, error) {
	g := gang.Gang{
		ID: id, Owner: groupOwner(pg), Queue: pg.Spec.Queue, Created: pg.CreationTimestamp.Time,
		MinMember: max(int(pg.Spec.MinMember), 1),
	}
	if pg.Spec.MinMember < 0 {
		return g, fmt.Errorf("spec.minMember=%d is negative; set it to the number of pods that start together", pg.Spec.MinMember)
	}
	var err error
	if g.Topology, err = topology(pg.Annotations); err != nil {
		return g, err
	}
	names := maps.Clone(seen)
	for task, minimum := range pg.Spec.MinTaskMember {
		if minimum < 0 {
			return g, fmt.Errorf("spec.minTaskMember[%s]=%d is negative; set it to the number of pods of the task that start together", task, minimum)
		}
		names[task] = true
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		g.Roles = append(g.Roles, gang.Role{Name: name, Min: int(pg.Spec.MinTaskMember[name]), Max: -1})
	}
	if pg.Spec.MinResources != nil {
		for name, q := range *pg.Spec.MinResources {
			if q.Sign() < 0 {
				return g, fmt.Errorf("spec.minResources[%s]=%s is negative; set it to what the group needs in all, or leave it out", name, q.String())
			}
		}
		g.MinResources = vector(*pg.Spec.MinResources)
	}
	return g, nil
}
