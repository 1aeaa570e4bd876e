package source

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	v1 "k8s.io/api/core/v1"

	"muster.sh/muster/api/v1alpha1"
	"muster.sh/muster/internal/sparkconf"
	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/gang"
)

// client is the executors of a driver that is not ours to place: it runs in a
// pod of another scheduler, in a single pod of ours such as a notebook, or
// outside of the cluster. How many executors it wants is not written anywhere
// that may be read, so the gang is those that come together.
type client struct {
	id      gang.ID
	owner   gang.Object
	created time.Time
	queue   string
	// arrivals are the times at which executors that have not ended came.
	// Those that were there at the start of the scheduler count with their
	// creation times, which are rounded to seconds: rounded is set then.
	arrivals map[gang.PodID]time.Time
	rounded  bool
	declared bool
	moves    gang.Moves
	// min is how many executors start together, where a pod says so.
	min    int
	minSet bool
}

// joinClient adds an executor to the gang of its application. driver is the
// pod that owns it, if there is one.
func (c *collector) joinClient(p *pod, id gang.ID, driver *v1.Pod) {
	p.gang, p.role = id, RoleExecutor
	cl := c.clients[id]
	if cl == nil {
		cl = &client{
			id: id, owner: owner(p.obj), created: p.obj.CreationTimestamp.Time,
			queue: queueNamed(p.obj), arrivals: map[gang.PodID]time.Time{},
		}
		if driver != nil {
			cl.owner = owner(driver)
		}
		c.clients[id] = cl
	}
	cl.arrivals[podID(p.obj)] = c.now
	if c.starting {
		cl.arrivals[podID(p.obj)], cl.rounded = p.obj.CreationTimestamp.Time, true
	}
	if cl.declared {
		return // it is elastic
	}
	var err error
	if cl.moves, err = moves(p.obj.Annotations); err != nil {
		c.refuseClient(cl, err.Error())
		return
	}
	if text, ok := p.obj.Annotations[v1alpha1.MinExecutorsAnnotation]; ok && !cl.minSet {
		c.setClientMinimum(cl, text)
		return
	}
	if !c.starting {
		c.settleClient(cl)
	}
}

func (c *collector) setClientMinimum(cl *client, text string) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > sparkconf.MaxExecutors {
		c.refuseClient(cl, fmt.Sprintf(
			"the annotation %s=%.64q of an executor is not a number of executors; set it to a whole number from 1 to %d, or leave it out",
			v1alpha1.MinExecutorsAnnotation, text, sparkconf.MaxExecutors))
		return
	}
	cl.min, cl.minSet = n, true
	c.declareClient(cl)
}

func (c *collector) refuseClient(cl *client, detail string) {
	c.emit(core.GangRefused{
		ID: cl.id, Owner: cl.owner, Created: cl.created, Verdict: gang.Verdict{Code: gang.Refused, Detail: detail},
	})
	cl.declared = true // as well as it will ever be
}

// settleClient declares an application once no executor has come for a while.
func (c *collector) settleClient(cl *client) {
	if cl.declared {
		return
	}
	count, until := c.wave(cl)
	if count == len(cl.arrivals) && c.now.Before(until) {
		c.ask(wake{cl.id, until})
		return
	}
	cl.min = count
	c.declareClient(cl)
}

// wave counts the executors that came together: the first ones, up to a pause
// of the settle time. Further ones are elastic. It tells until when the wave
// may go on. A restart of the scheduler works out the same number from the
// executors' creation times, as long as they live.
func (c *collector) wave(cl *client) (count int, until time.Time) {
	times := make([]time.Time, 0, len(cl.arrivals))
	for _, t := range cl.arrivals {
		times = append(times, t)
	}
	slices.SortFunc(times, time.Time.Compare)
	pause := c.settle
	if cl.rounded {
		pause += time.Second
	}
	latest := times[0].Add(c.settleMax)
	for i, t := range times {
		if i > 0 && (t.After(times[i-1].Add(pause)) || t.After(latest)) {
			break
		}
		count, until = count+1, t.Add(pause)
	}
	if until.After(latest) {
		until = latest
	}
	return count, until
}

// woken is the answer to a wake.
func (c *collector) woken(id gang.ID) {
	if cl := c.clients[id]; cl != nil {
		c.settleClient(cl)
	}
}

// declareClient tells the gang: its minimum is fixed, further executors come
// and go. What its driver deletes it does not want back.
func (c *collector) declareClient(cl *client) {
	cl.declared = true
	c.emit(core.GangSet{Gang: gang.Gang{
		ID: cl.id, Owner: cl.owner, Queue: cl.queue, Created: cl.created,
		Roles: []gang.Role{{Name: RoleExecutor, Min: cl.min, Max: -1, Shrinks: true}}, Moves: cl.moves,
	}})
}

// leaveClient takes an executor out that has ended. The last one ends the gang:
// should the driver want more later, they start together again.
func (c *collector) leaveClient(cl *client, p *pod) {
	delete(cl.arrivals, podID(p.obj))
	if len(cl.arrivals) > 0 {
		return
	}
	delete(c.clients, cl.id)
	c.emit(core.GangGone{ID: cl.id})
}
