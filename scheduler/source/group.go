package source

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	volcano "volcano.sh/apis/pkg/apis/scheduling/v1beta1"

	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/gang"
)

const podGroupKind = "PodGroup"

// groupAPI is an API of PodGroups that a CustomResourceDefinition brings.
type groupAPI struct {
	kind     string // of the gangs
	resource schema.GroupVersionResource
	// declare sets what the spec of a PodGroup says of its gang.
	declare func(*unstructured.Unstructured, *declaration) error
}

func (a groupAPI) custom() customAPI {
	return customAPI{
		resource: a.resource,
		set:      func(c *collector, u *unstructured.Unstructured) { c.setGroup(a.declaration(u)) },
		gone: func(c *collector, u *unstructured.Unstructured) {
			c.removeGroup(gang.NewID(a.kind, u.GetNamespace(), u.GetName()))
		},
		none: func(c *collector) { c.removeGroups(a.kind) },
	}
}

func (a groupAPI) declaration(u *unstructured.Unstructured) declaration {
	d := declaration{gang: groupOf(a.kind, a.resource.GroupVersion(), u)}
	if d.broken = readWishes(u.GetAnnotations(), &d.gang); d.broken == nil {
		d.broken = a.declare(u, &d)
	}
	return d
}

// declaration is what is said of a gang, whoever says it: a PodGroup of some API,
// or its members.
type declaration struct {
	gang gang.Gang
	// near says how near members are to be by tiers of HyperNodes, if at all.
	near *volcano.NetworkTopologySpec
	// subGroups are its policies that divide members into sub-groups.
	subGroups []subGroups
	// broken says why it can't be understood. Then the gang's ID, owner and
	// creation time are there.
	broken error
}

// group is a gang that is declared, and the pods of ours that claim it. Either may
// be there without the other: pods wait for their PodGroup, and a PodGroup without
// pods of ours is another scheduler's, which is not touched, unless we were told
// that there is no other.
type group struct {
	declared *declaration
	// members that have not ended, and the roles that members were seen in.
	members int
	roles   map[string]bool
	// ended are members that have ended and still exist.
	ended map[types.UID]ended
	// done is how many members, by role, had ended well before the first of those
	// came that are known to core. It counts the ends of these itself.
	done map[string]int
	// told is the last event about the gang, if there was one.
	told core.Event
}

// event tells what the group is, on a network of these tiers. Roles that members were
// seen in, and that the declaration does not name, have no minimum of their own.
func (g *group) event(tiers []tier) core.Event {
	d := g.declared
	if d.broken != nil {
		return core.GangRefused{
			ID: d.gang.ID, Owner: d.gang.Owner, Created: d.gang.Created,
			Verdict: gang.Verdict{Code: gang.Refused, Detail: d.broken.Error()},
		}
	}
	e := d.gang
	if d.near != nil && len(e.Topology.Levels) == 0 {
		e.Topology = nearByTiers(d.near, tiers)
	}
	e.Roles = slices.Clone(e.Roles)
	for i := range d.subGroups {
		e.Roles = append(e.Roles, d.subGroups[i].roles(g.roles, tiers)...)
	}
	for name := range g.roles {
		if _, named := e.Role(name); !named {
			e.Roles = append(e.Roles, gang.Role{Name: name, Max: -1})
		}
	}
	slices.SortFunc(e.Roles, func(a, b gang.Role) int { return cmp.Compare(a.Name, b.Name) })
	g.leaveOutDone(&e)
	return core.GangSet{Gang: e}
}

func (c *collector) group(id gang.ID) *group {
	g := c.groups[id]
	if g == nil {
		g = &group{roles: map[string]bool{}, ended: map[types.UID]ended{}}
		c.groups[id] = g
	}
	return g
}

func (c *collector) joinGroup(p *pod, claim claim) {
	id := gang.NewID(claim.kind, p.obj.Namespace, claim.name)
	p.gang, p.role = id, claim.role
	g := c.group(id)
	if g.declared != nil {
		p.role = g.declared.roleOf(p.obj, claim.role)
	}
	if g.members == 0 {
		g.countDone()
	}
	g.members++
	g.roles[p.role] = true
	if declaredByMembers(claim.kind) {
		g.believe(memberDeclaration(p.obj))
	}
	c.declareGroup(id, g)
}

// leaveGroup takes a member out that has ended. A gang that its members declared
// ends with the last of them: those that come later start together again.
func (c *collector) leaveGroup(id gang.ID, g *group) {
	g.members--
	if g.members == 0 && declaredByMembers(kindOf(id)) {
		clear(g.roles)
		c.undeclareGroup(id, g)
	}
	c.dropGroupIfUnused(id, g)
}

func (c *collector) dropGroupIfUnused(id gang.ID, g *group) {
	if g.members == 0 && len(g.ended) == 0 && g.declared == nil {
		delete(c.groups, id)
	}
}

// countEnded notes a pod of a group that has ended. One that is being deleted
// counts no more: what it did may be done anew.
func (c *collector) countEnded(p *v1.Pod) {
	claim := classify(p)
	switch {
	case !claim.inGroup() || !c.ours(p):
	case p.DeletionTimestamp != nil:
		c.forgetEnded(p)
	default:
		c.group(gang.NewID(claim.kind, p.Namespace, claim.name)).ended[p.UID] = ended{p.Status.Phase, claim.role}
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

// ended counts the members of a group that have ended.
func (c *collector) ended(id gang.ID) (succeeded, failed int) {
	g := c.groups[id]
	if g == nil {
		return 0, 0
	}
	succeeded = total(g.succeeded())
	return succeeded, len(g.ended) - succeeded
}

// setGroup takes in what a new or changed PodGroup declares.
func (c *collector) setGroup(d declaration) {
	g := c.group(d.gang.ID)
	divided := len(d.subGroups) > 0 || g.declared != nil && len(g.declared.subGroups) > 0
	g.declared = &d
	if divided {
		c.regroup(d.gang.ID, g)
	}
	c.declareGroup(d.gang.ID, g)
}

// removeGroup takes in that a PodGroup does not exist any more. Its pods wait
// for it to come back.
func (c *collector) removeGroup(id gang.ID) {
	if g := c.groups[id]; g != nil {
		c.undeclareGroup(id, g)
		c.dropGroupIfUnused(id, g)
	}
}

// removeGroups takes in that an API of PodGroups is not served any more.
func (c *collector) removeGroups(kind string) {
	for _, id := range sortedKeys(c.groups) {
		if kindOf(id) == kind {
			c.removeGroup(id)
		}
	}
}

// declareGroup tells the gang, or why it can't be one, if that is news.
func (c *collector) declareGroup(id gang.ID, g *group) {
	if g.declared == nil || len(g.roles) == 0 && !c.takesEmpty(id) {
		return
	}
	if e := g.event(c.tiers); !reflect.DeepEqual(g.told, e) {
		g.told = e
		c.emit(e)
	}
}

// takesEmpty says whether a PodGroup is ours before a pod names it. Only owners of
// Volcano's wait for a word before they create pods.
func (c *collector) takesEmpty(id gang.ID) bool { return c.emptyGroups && kindOf(id) == KindPodGroup }

func (c *collector) undeclareGroup(id gang.ID, g *group) {
	if g.told != nil {
		c.emit(core.GangGone{ID: id})
	}
	g.declared, g.told = nil, nil
}

func kindOf(id gang.ID) string {
	kind, _, _ := strings.Cut(string(id), "/")
	return kind
}

// groupOf is what every PodGroup says of its gang, of whatever API it is.
func groupOf(kind string, version schema.GroupVersion, pg metav1.Object) gang.Gang {
	return gang.Gang{
		ID: gang.NewID(kind, pg.GetNamespace(), pg.GetName()),
		Owner: gang.Object{
			APIVersion: version.String(), Kind: podGroupKind,
			Namespace: pg.GetNamespace(), Name: pg.GetName(), UID: string(pg.GetUID()),
		},
		Queue:   queueNamed(pg),
		Created: pg.GetCreationTimestamp().Time,
	}
}

// setMinimum sets what Volcano's and coscheduling's PodGroups say alike. A group
// that asks for no member at all starts with its first one.
func setMinimum(g *gang.Gang, members int32, resources v1.ResourceList) error {
	if members < 0 {
		return fmt.Errorf("spec.minMember=%d is negative; set it to the number of pods that start together", members)
	}
	for _, name := range slices.Sorted(maps.Keys(resources)) {
		if q := resources[name]; q.Sign() < 0 {
			return fmt.Errorf("spec.minResources[%s]=%s is negative; set it to what the group needs in all, or leave it out", name, q.String())
		}
	}
	g.MinMember, g.MinResources = max(int(members), 1), vector(resources)
	return nil
}

// unreadable is the reason against a PodGroup whose spec has fields of wrong types.
func unreadable(err error) error {
	return fmt.Errorf("the PodGroup can't be read: %w; mend its spec", err)
}
