package source

import (
	"strings"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"muster.sh/muster/scheduler/gang"
)

// joinExecutor finds the gang of an executor. It belongs to the driver that
// owns it; the label alone proves nothing. Executors that no driver of ours
// owns are in client mode: they form gangs by application and owner, so a
// false label leads to a gang of its own and to nobody else's room.
func (c *collector) joinExecutor(p *pod, claim claim) {
	by := controller(p.obj)
	if a := c.apps[gang.NewID(KindSpark, p.obj.Namespace, claim.name)]; a != nil && owns(a, by) {
		p.gang, p.role = a.id, RoleExecutor
		return
	}
	name := claim.name
	var of *v1.Pod
	if by != nil {
		name += "/" + string(by.UID)
		if isPod(by) {
			// An owner that is gone, or was never seen, takes its executors with
			// it: nothing is to be started for it.
			var alive bool
			if of, alive = c.alive(by.UID, p.obj.Namespace); !alive {
				c.orphans[by.UID] = append(c.orphans[by.UID], p)
				return
			}
		}
	}
	c.joinClient(p, gang.NewID(KindSparkClient, p.obj.Namespace, name), of)
}

// owns says whether a driver made the pod that bears this owner. Executors are
// owned by the driver itself, or, with Spark's statefulset and deployment
// allocators, by a StatefulSet or a ReplicaSet whose name tells the
// application. The name is enough proof there: who may make such objects in the
// driver's namespace may make pods owned by the driver as well.
func owns(a *app, by *metav1.OwnerReference) bool {
	switch {
	case by == nil:
		return false
	case isPod(by):
		return string(by.UID) == a.driver.UID
	case by.Kind == "StatefulSet":
		return strings.HasPrefix(by.Name, "spark-s-"+a.name+"-")
	case by.Kind == "ReplicaSet":
		return strings.HasPrefix(by.Name, "spark-d-"+a.name+"-")
	}
	return false
}

func isPod(o *metav1.OwnerReference) bool { return o.APIVersion == "v1" && o.Kind == "Pod" }

// adoptOrphans gives executors their gang, now that their owner has been seen.
func (c *collector) adoptOrphans(p *v1.Pod) {
	waiting := c.orphans[p.UID]
	delete(c.orphans, p.UID)
	for _, orphan := range waiting {
		c.join(orphan)
		c.tell(orphan)
	}
}

// dropOrphan forgets an executor that has ended before its owner was seen.
func (c *collector) dropOrphan(p *pod) {
	by := controller(p.obj)
	if p.gang != "" || by == nil {
		return
	}
	var left []*pod
	for _, o := range c.orphans[by.UID] {
		if o != p {
			left = append(left, o)
		}
	}
	c.keepOrphans(by.UID, left)
}

func (c *collector) keepOrphans(owner types.UID, pods []*pod) {
	if len(pods) == 0 {
		delete(c.orphans, owner)
		return
	}
	c.orphans[owner] = pods
}
