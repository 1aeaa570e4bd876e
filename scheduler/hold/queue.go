// Package hold keeps members of gangs out of kube-scheduler's queue until the
// turn of their gang has come. Thousands of pods that wait inside the queue
// make every bind dear, since each event walks all of them under its lock;
// held here, a pod costs a map entry and no event touches it.
package hold

import (
	"context"
	"sync"

	v1 "k8s.io/api/core/v1"
	"k8s.io/klog/v2"
	backend "k8s.io/kubernetes/pkg/scheduler/backend/queue"
	"k8s.io/kubernetes/pkg/scheduler/framework"

	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/gang"
)

// Options are what a Queue needs to know of the world.
type Options struct {
	// Member says whether a pod belongs to a gang. Pods that do not pass
	// through untouched.
	Member func(*v1.Pod) bool
	// Placement tells where a released member may run: Board.Placement.
	Placement func(gang.PodID) (core.Placement, bool)
	// Post hands an event to the loop. It must not wait.
	Post func(core.Event)
	// Gone is told of every member that has left: it was deleted or bound. It
	// must not call the Queue.
	Gone func(gang.PodID)
}

// Queue wraps kube-scheduler's own queue. It replaces Scheduler.SchedulingQueue
// and, by Pop, Scheduler.NextEntity, after scheduler.New and before the
// informers start.
//
// A member is held, queued or running. It is held from its arrival until
// Release, and again from Park. Queued, it is in kube-scheduler's queue.
// Running, its scheduling or binding cycle is under way, and it is in no queue:
// what kube-scheduler hears of it in this time is only kept.
//
// There is one order of locks: mu before the lock of the wrapped queue.
// Nothing that runs under that queue's lock calls back here.
type Queue struct {
	backend.SchedulingQueue
	opts Options

	mu      sync.Mutex
	members map[gang.PodID]*member
	// early has releases of pods that kube-scheduler's informer has yet to
	// deliver: the events that led to them came by another road.
	early map[gang.PodID]core.Epoch
}

type member struct {
	pod   *v1.Pod
	state state
	// epoch is the plan by which it was released last.
	epoch core.Epoch
}

type state int

const (
	held state = iota
	queued
	running
)

// Wrap returns a Queue in front of another.
func Wrap(inner backend.SchedulingQueue, opts Options) *Queue {
	return &Queue{
		SchedulingQueue: inner, opts: opts,
		members: map[gang.PodID]*member{}, early: map[gang.PodID]core.Epoch{},
	}
}

// Len returns how many members are held.
func (q *Queue) Len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := 0
	for _, m := range q.members {
		if m.state == held {
			n++
		}
	}
	return n
}

// Add takes a new pod in: members are held, others are queued.
func (q *Queue) Add(ctx context.Context, pod *v1.Pod) {
	if !q.opts.Member(pod) {
		q.SchedulingQueue.Add(ctx, pod)
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.hold(ctx, pod)
}

func (q *Queue) hold(ctx context.Context, pod *v1.Pod) {
	id := idOf(pod)
	if m, known := q.members[id]; known {
		m.pod = pod
		return
	}
	m := &member{pod: pod}
	q.members[id] = m
	if epoch, ok := q.early[id]; ok {
		delete(q.early, id)
		q.release(ctx, m, epoch)
	}
}

// Update takes a changed pod in. Kube-scheduler's own Update adds a pod that
// it does not know, so it must not hear of members that are held or running.
func (q *Queue) Update(ctx context.Context, oldPod, newPod *v1.Pod) {
	if oldPod.UID != newPod.UID {
		// Deleted and created again under the same name while the watch was
		// interrupted.
		q.Delete(klog.FromContext(ctx), oldPod)
		q.Add(ctx, newPod)
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	m, known := q.members[idOf(newPod)]
	isMember := q.opts.Member(newPod)
	switch {
	case known && isMember:
		m.pod = newPod
		if m.state == queued {
			q.SchedulingQueue.Update(ctx, oldPod, withoutNomination(newPod))
		}
	case known:
		delete(q.members, idOf(newPod))
		q.SchedulingQueue.Update(ctx, oldPod, newPod)
	case isMember:
		q.SchedulingQueue.Delete(klog.FromContext(ctx), oldPod)
		q.hold(ctx, newPod)
	default:
		q.SchedulingQueue.Update(ctx, oldPod, newPod)
	}
}

// Delete forgets a pod that was deleted or bound.
func (q *Queue) Delete(logger klog.Logger, pod *v1.Pod) {
	id := idOf(pod)
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.early, id)
	m, known := q.members[id]
	if !known || m.state != held {
		q.SchedulingQueue.Delete(logger, pod)
	}
	if known {
		delete(q.members, id)
		q.opts.Gone(id)
	}
}

// Pop waits for the next pod whose cycle is to run.
func (q *Queue) Pop(logger klog.Logger) (framework.QueuedEntityInfo, error) {
	entity, err := q.SchedulingQueue.Pop(logger)
	if info, ok := entity.(*framework.QueuedPodInfo); ok && err == nil {
		q.mu.Lock()
		if m, known := q.members[idOf(info.Pod)]; known {
			m.state = running
		}
		q.mu.Unlock()
	}
	return entity, err
}

// Release hands a held member to kube-scheduler. It is answered: either the
// member's cycle runs, and reaches the latch or is parked; or its placement has
// changed since, or a plugin does not let it into the queue, and it is parked at
// once; or the pod is gone.
func (q *Queue) Release(ctx context.Context, r core.Release) {
	q.mu.Lock()
	defer q.mu.Unlock()
	m, known := q.members[r.Pod]
	switch {
	case !known:
		q.releaseEarly(r)
	case m.state != held:
		klog.FromContext(ctx).Error(nil, "A member was released twice", "pod", klog.KObj(m.pod), "gang", r.Gang, "epoch", r.Epoch)
	default:
		q.release(ctx, m, r.Epoch)
	}
}

// releaseEarly notes a release for the time when the pod arrives. What was
// noted for pods that never came is swept out once their placement is gone.
func (q *Queue) releaseEarly(r core.Release) {
	for id, epoch := range q.early {
		if !q.placed(id, epoch) {
			delete(q.early, id)
		}
	}
	q.early[r.Pod] = r.Epoch
}

func (q *Queue) release(ctx context.Context, m *member, epoch core.Epoch) {
	id := idOf(m.pod)
	m.epoch = epoch
	if !q.placed(id, epoch) {
		q.opts.Post(core.Parked{ID: id, Epoch: epoch, Reason: "the placement was taken back"})
		return
	}
	m.state = queued
	q.SchedulingQueue.Add(ctx, withoutNomination(m.pod))
	if plugin := q.gating(m.pod); plugin != "" {
		// In there it would wait for good, once its placement is taken back.
		q.SchedulingQueue.Delete(klog.FromContext(ctx), m.pod)
		m.state = held
		q.opts.Post(core.Parked{ID: id, Epoch: epoch, Veto: true, Plugin: plugin, Reason: "its resource claims are not there"})
	}
}

// gating returns the plugin that keeps a pod out of the queue of those whose turn
// comes. Only resource claims can, of all that a member may wait for.
func (q *Queue) gating(pod *v1.Pod) string {
	if len(pod.Spec.ResourceClaims) == 0 {
		return ""
	}
	info, there := q.GetPod(pod.Name, pod.Namespace, pod.Spec.SchedulingGroup)
	if !there {
		return "" // popped already
	}
	return info.GatingPlugin
}

// withoutNomination is a pod as kube-scheduler may see it. A nomination is left
// from an earlier life of the pod, or from another scheduler; it would keep
// room for the pod where it is not going to run, and other members off it.
func withoutNomination(pod *v1.Pod) *v1.Pod {
	if pod.Status.NominatedNodeName == "" {
		return pod
	}
	p := *pod
	p.Status.NominatedNodeName = ""
	return &p
}

func (q *Queue) placed(id gang.PodID, epoch core.Epoch) bool {
	p, ok := q.opts.Placement(id)
	return ok && p.Epoch == epoch
}

// Park ends the cycle of a pod that failed and holds it again. It returns the
// epoch by which the pod was released, and false for a pod that is not a
// member, or is no longer there.
func (q *Queue) Park(logger klog.Logger, pod *v1.Pod) (core.Epoch, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	// The cycle may have ended this already; a second Done does nothing.
	q.SchedulingQueue.Done(pod.UID)
	m, known := q.members[idOf(pod)]
	if !known || m.state != running {
		return 0, false
	}
	m.state = held
	return m.epoch, true
}

func idOf(pod *v1.Pod) gang.PodID { return gang.PodID(pod.UID) }
