package source

import (
	"cmp"
	"maps"
	"reflect"
	"slices"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/queue"
)

// settings are what the collector is told once.
type settings struct {
	// schedulerName marks the pods that are ours to place.
	schedulerName string
	// configMapTimeout is how long a driver's settings may take to appear.
	configMapTimeout time.Duration
	// minExecutorsFloor is the least minimum of an application with dynamic
	// allocation.
	minExecutorsFloor int
	// settle is how long after its last executor a client-mode application is
	// taken to be complete; settleMax is the longest that is waited in all.
	settle, settleMax time.Duration
	// emptyGroups makes a PodGroup of Volcano's that no pod names yet one of ours.
	emptyGroups bool
}

// collector turns changes of objects into events. It has one user at a time,
// does no I/O and reads no clock: now is set by its user before each call. What
// it gives out is taken away after each call.
type collector struct {
	settings
	now time.Time

	nodes map[string]*v1.Node
	// zones are by the rank of what tells of them, and by node.
	zones [zoneAPIs]map[string]*zoned
	// hyperNodes by name, those of which they are parts, the tiers that there are, and
	// where each node is.
	hyperNodes map[string]hyperNode
	parents    map[string]string
	tiers      []tier
	at         map[string]map[string]string
	pods       map[types.UID]*pod
	apps       map[gang.ID]*app
	clients    map[gang.ID]*client
	groups     map[gang.ID]*group
	// budgets by namespace and name.
	budgets map[string]map[string]budget
	// queues are those that are declared, as was told, and homes the queues of namespaces.
	queues map[string]queue.Spec
	homes  map[string]string
	// orphans are executors whose owner has not been seen, by its UID.
	orphans map[types.UID][]*pod

	// replay holds the pods that exist at the start, until all are there: a
	// driver goes before its executors, whatever order they are listed in.
	// It is nil afterwards.
	replay map[types.UID]*v1.Pod
	// starting is set while the pods of replay are taken in.
	starting bool
	// awaited are bound drivers whose gangs are to be declared before Synced.
	awaited      map[types.UID]bool
	reservations []reservation
	synced       bool

	events  []core.Event
	errands []errand
}

// pod is what is known of a pod that has not ended.
type pod struct {
	obj *v1.Pod
	// gang does not change once it is known, and is empty for pods that belong to
	// none. role only changes with the sub-groups of a PodGroup.
	gang gang.ID
	role string
	// told is the last event about the pod, if there was one.
	told *core.PodSet
	// deletion says that the pod was to be deleted while it had not ended.
	deletion bool
}

// errand is something to be done outside, which the collector can't do.
type errand interface{ isErrand() }

// wake asks for a call of woken.
type wake struct {
	client gang.ID
	at     time.Time
}

// complaint asks that somebody be told of an object that can't be understood.
type complaint struct {
	what, object string
	err          error
}

func (wake) isErrand()      {}
func (complaint) isErrand() {}

func newCollector(s settings) *collector {
	return &collector{
		settings: s,
		nodes:    map[string]*v1.Node{}, zones: [zoneAPIs]map[string]*zoned{{}, {}},
		hyperNodes: map[string]hyperNode{}, at: map[string]map[string]string{},
		queues: map[string]queue.Spec{}, homes: map[string]string{},
		pods: map[types.UID]*pod{}, budgets: map[string]map[string]budget{},
		apps: map[gang.ID]*app{}, clients: map[gang.ID]*client{}, groups: map[gang.ID]*group{},
		orphans: map[types.UID][]*pod{}, replay: map[types.UID]*v1.Pod{}, awaited: map[types.UID]bool{},
	}
}

func (c *collector) emit(e core.Event) { c.events = append(c.events, e) }

func (c *collector) ask(e errand) { c.errands = append(c.errands, e) }

// take returns what has come together since the last call.
func (c *collector) take() ([]core.Event, []errand) {
	events, errands := c.events, c.errands
	c.events, c.errands = nil, nil
	return events, errands
}

func (c *collector) setNode(n *v1.Node) {
	old := c.nodes[n.Name]
	c.nodes[n.Name] = n
	if len(c.hyperNodes) > 0 && c.replay == nil && (old == nil || !maps.Equal(old.Labels, n.Labels)) {
		c.at[n.Name] = c.tiersAt(c.leafOf(n))
	}
	c.tellNode(n)
	if z := c.zonesOf(n.Name); z != nil && old == nil {
		c.emit(core.ZonesReported{Node: n.Name, Report: z.report}) // it came too early
	}
}

// tellNode tells of a node, with what is known of it from other objects.
func (c *collector) tellNode(n *v1.Node) {
	e := core.NodeSet{Node: node(n)}
	if z := c.zonesOf(n.Name); z != nil {
		e.Node.NUMA = z.topology
	}
	e.Node.Tiers = c.at[n.Name]
	c.emit(e)
}

func (c *collector) removeNode(name string) {
	delete(c.nodes, name)
	delete(c.at, name)
	c.emit(core.NodeGone{Name: name})
}

// setPod takes a new or changed pod in, of any scheduler and in any phase.
func (c *collector) setPod(p *v1.Pod) {
	if c.replay != nil {
		c.replay[p.UID] = p
		return
	}
	known := c.pods[p.UID]
	switch {
	case HasEnded(p):
		if known != nil {
			c.endPod(known, p)
		}
		c.countEnded(p)
	case known == nil:
		known = &pod{obj: p, deletion: p.DeletionTimestamp != nil}
		c.pods[p.UID] = known
		c.join(known)
		c.tell(known)
		c.adoptOrphans(p)
	default:
		known.obj = p
		known.deletion = known.deletion || p.DeletionTimestamp != nil
		c.tell(known)
	}
}

// removePod takes in that a pod does not exist any more. The object is how it
// was seen last.
func (c *collector) removePod(p *v1.Pod) {
	if c.replay != nil {
		delete(c.replay, p.UID)
		return
	}
	if known := c.pods[p.UID]; known != nil {
		c.endPod(known, p)
	}
	c.forgetEnded(p)
}

func (c *collector) ours(p *v1.Pod) bool { return p.Spec.SchedulerName == c.schedulerName }

// join finds out to which gang a new pod belongs.
func (c *collector) join(p *pod) {
	if !c.ours(p.obj) {
		return
	}
	switch claim := classify(p.obj); {
	case claim.inGroup():
		c.joinGroup(p, claim)
	case claim.role == RoleDriver:
		c.joinDriver(p, claim)
	case claim.role == RoleExecutor:
		c.joinExecutor(p, claim)
	}
}

// tell posts what has changed of a pod that takes room, or that waits and is a
// member. Most updates of a pod change neither.
func (c *collector) tell(p *pod) {
	waits := p.obj.Spec.NodeName == ""
	if waits && (p.gang == "" || gated(p.obj)) {
		return
	}
	e := podSet(p.obj, p.gang, p.role)
	if e.Member != nil {
		e.Member.Budgets = c.budgetsOf(p.obj)
	}
	if p.told != nil && reflect.DeepEqual(*p.told, e) {
		return
	}
	p.told = &e
	c.emit(e)
}

// endPod takes in that a pod takes no room any more. What happens to the
// object afterwards does not matter.
func (c *collector) endPod(p *pod, last *v1.Pod) {
	delete(c.pods, p.obj.UID)
	if p.told != nil {
		c.emit(core.PodGone{ID: podID(p.obj), End: end(last, p.deletion)})
	}
	c.leave(p)
}

// leave tells the gang of a pod that it has ended.
func (c *collector) leave(p *pod) {
	delete(c.awaited, p.obj.UID)
	if app := c.apps[p.gang]; app != nil && app.driver.UID == string(p.obj.UID) {
		c.endApp(app)
	}
	if client := c.clients[p.gang]; client != nil {
		c.leaveClient(client, p)
	}
	if group := c.groups[p.gang]; group != nil {
		c.leaveGroup(p.gang, group)
	}
	c.dropOrphan(p)
	c.syncIfReady()
}

// replayed takes in that everything that exists has been seen.
func (c *collector) replayed(found []reservation) {
	pods := make([]*v1.Pod, 0, len(c.replay))
	for _, p := range c.replay {
		pods = append(pods, p)
	}
	slices.SortFunc(pods, func(a, b *v1.Pod) int {
		return cmp.Or(
			cmp.Compare(rank(a), rank(b)),
			a.CreationTimestamp.Time.Compare(b.CreationTimestamp.Time),
			cmp.Compare(a.UID, b.UID))
	})
	c.replay, c.reservations = nil, found
	c.mapNetwork()
	c.starting = true
	for _, p := range pods {
		c.setPod(p)
	}
	c.starting = false
	for _, id := range sortedKeys(c.clients) {
		c.settleClient(c.clients[id])
	}
	c.syncIfReady()
}

// rank orders pods that exist at the start: what has been done first, then owners
// of executors.
func rank(p *v1.Pod) int {
	switch {
	case HasEnded(p):
		return 0
	case classify(p).role == RoleExecutor:
		return 2
	}
	return 1
}

// syncIfReady says once that everything that exists has been told.
func (c *collector) syncIfReady() {
	if c.synced || c.replay != nil || c.starting || len(c.awaited) > 0 {
		return
	}
	c.synced = true
	c.claimReservations()
	c.emit(core.Synced{})
}

// alive reports the pod of a UID in a namespace, if it has not ended.
func (c *collector) alive(uid types.UID, namespace string) (*v1.Pod, bool) {
	p := c.pods[uid]
	if p == nil || p.obj.Namespace != namespace {
		return nil, false
	}
	return p.obj, true
}

// controller is the owner that manages a pod. Other owners don't matter: some
// operators add themselves beside the driver.
func controller(p *v1.Pod) *metav1.OwnerReference { return metav1.GetControllerOfNoCopy(p) }

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
