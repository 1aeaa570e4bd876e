package fairness

import (
	"container/heap"
	"fmt"
	"time"

	"muster.sh/muster/scheduler/cluster"
	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/resource"
)

const (
	gpu         = "nvidia.com/gpu"
	gpusPerNode = 8
	// grace is how long a pod takes to go that is evicted.
	grace = 30 * time.Second
)

// job is a gang with what it asks for. One that is evicted begins anew.
type job struct {
	id    gang.ID
	queue int
	pods  int
	gpus  int // of each pod
	runs  time.Duration
	// declares is how long it says that it runs; zero if it does not say.
	declares  time.Duration
	submitted time.Time
	// attempt counts its starts as a whole; bound are pods of this one that have a node.
	attempt, bound int
	members        []gang.PodID
	evicted        bool
}

// simulation is a machine with a clock of its own, and all that is outside of it: a
// kube-scheduler that agrees with everything, kubelets, and owners that create pods.
type simulation struct {
	machine *core.Machine
	board   core.Board
	now     time.Time
	due     agenda
	jobs    map[gang.ID]*job
	members map[gang.PodID]*core.Member
	latched map[gang.ID][]gang.PodID
	open    map[gang.ID]core.Epoch
	inbox   []core.Event
	// started and restarts are called with each job that runs as a whole, and that begins
	// anew because it was evicted.
	started, restarts func(*job)
	// used are the GPUs of each queue's pods that have a node.
	used []int
	// lost is the GPU time that evicted pods had used.
	lost     time.Duration
	placed   map[gang.PodID]place
	bookings bookings
}

// place is where a pod is, and since when.
type place struct {
	node  string
	since time.Time
}

var epoch = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

func newSimulation(d Day) *simulation {
	options := core.DefaultOptions()
	options.Backfill = d.Depth
	options.Reclaim = core.Clearing{MaxPods: 5000, MaxTries: 2000, After: time.Second, Cooldown: time.Minute, Timeout: 5 * time.Minute}
	s := &simulation{
		machine: core.NewMachine(options), now: epoch, used: make([]int, d.Queues),
		jobs: map[gang.ID]*job{}, members: map[gang.PodID]*core.Member{}, placed: map[gang.PodID]place{},
		latched: map[gang.ID][]gang.PodID{}, open: map[gang.ID]core.Epoch{},
	}
	for i := range d.Nodes {
		all := resource.Vector{MilliCPU: 64_000, Memory: 512 << 30, Pods: 110}.With(gpu, gpusPerNode)
		s.tell(core.NodeSet{Node: cluster.Node{Name: fmt.Sprintf("node-%04d", i), Ready: true, Allocatable: all}})
	}
	return s
}

// tell hands an event to the machine, and carries out what follows from it.
func (s *simulation) tell(e core.Event) {
	s.inbox = append(s.inbox, e)
	if len(s.inbox) > 1 {
		return // it is handed over by whoever was before
	}
	for ; len(s.inbox) > 0; s.inbox = s.inbox[1:] {
		out := s.machine.Step(s.now, s.inbox[0])
		s.machine.Publish(&s.board)
		s.bookings.note(s.machine)
		for _, d := range out {
			s.carryOut(d)
		}
	}
}

func (s *simulation) carryOut(d core.Decision) {
	switch d := d.(type) {
	case core.Release:
		if s.open[d.Gang] == d.Epoch {
			s.bind(d.Pod)
			return
		}
		s.latched[d.Gang] = append(s.latched[d.Gang], d.Pod)
		s.tell(core.AtLatch{ID: d.Pod, Epoch: d.Epoch})
	case core.OpenLatch:
		s.open[d.Gang] = d.Epoch
		for _, pod := range s.latched[d.Gang] {
			s.bind(pod)
		}
		delete(s.latched, d.Gang)
	case core.ShutLatch:
		for _, pod := range s.latched[d.Gang] {
			s.tell(core.Parked{ID: pod, Epoch: d.Epoch, Reason: d.Reason})
		}
		delete(s.latched, d.Gang)
	case core.StoreReservation:
		if d.Epoch != 0 {
			s.tell(core.ReservationStored{Gang: d.Gang, Epoch: d.Epoch})
		}
	case core.Evict:
		s.evict(d)
	}
}

func (s *simulation) bind(pod gang.PodID) {
	m := s.members[pod]
	p, _ := s.board.Placement(pod)
	j := s.jobs[m.Gang]
	s.used[j.queue] += j.gpus
	s.placed[pod] = place{p.Node, s.now}
	s.tell(s.podSet(m, p.Node, false))
	if j.bound++; j.bound == j.pods {
		attempt := j.attempt
		s.at(s.now.Add(j.runs), func() {
			if j.attempt == attempt && !j.evicted {
				s.end(j)
			}
		})
		s.started(j)
	}
}

func (s *simulation) podSet(m *core.Member, node string, terminating bool) core.PodSet {
	return core.PodSet{Pod: cluster.Pod{ID: m.ID, Name: m.Name, Node: node, Request: m.Shape.Request, Gang: m.Gang}, Member: m, Terminating: terminating}
}

func (s *simulation) evict(d core.Evict) {
	j := s.jobs[d.Gang]
	j.evicted = true
	at := s.placed[d.Pod]
	s.lost += time.Duration(j.gpus) * s.now.Sub(at.since)
	s.tell(core.Evicted{ID: d.Pod})
	s.tell(s.podSet(s.members[d.Pod], at.node, true))
	s.at(s.now.Add(grace), func() {
		s.gone(j, d.Pod, core.Failed)
		if j.bound == 0 {
			s.restarts(j)
			s.createPods(j)
		}
	})
}

// gone lets a pod that has a node be no more.
func (s *simulation) gone(j *job, pod gang.PodID, how core.End) {
	s.used[j.queue] -= j.gpus
	j.bound--
	delete(s.members, pod)
	delete(s.placed, pod)
	s.tell(core.PodGone{ID: pod, End: how})
}

// submit declares the gang of a job, and creates its pods.
func (s *simulation) submit(j *job, queue string) {
	name := fmt.Sprintf("job-%06d", len(s.jobs))
	j.id = gang.NewID("podgroup", "default", name)
	s.jobs[j.id], j.submitted = j, s.now
	s.tell(core.GangSet{Gang: gang.Gang{
		ID: j.id, Owner: gang.Object{Kind: "PodGroup", Namespace: "default", Name: name, UID: name},
		Queue: queue, Created: s.now, MinMember: j.pods, Runtime: j.declares,
	}})
	s.createPods(j)
}

func (s *simulation) createPods(j *job) {
	j.attempt, j.bound, j.evicted, j.members = j.attempt+1, 0, false, nil
	request := resource.Vector{MilliCPU: 1000, Memory: 4 << 30, Pods: 1}.With(gpu, int64(j.gpus))
	for k := range j.pods {
		name := fmt.Sprintf("%s-%d-%d", j.id, j.attempt, k)
		m := &core.Member{ID: gang.PodID(name), Name: name, Gang: j.id, Shape: gang.Shape{Request: request}, Created: s.now}
		s.members[m.ID] = m
		j.members = append(j.members, m.ID)
		s.tell(s.podSet(m, "", false))
	}
}

func (s *simulation) end(j *job) {
	for _, pod := range j.members {
		s.gone(j, pod, core.Succeeded)
	}
	s.tell(core.GangGone{ID: j.id})
	delete(s.open, j.id)
}

// at has something done at a time.
func (s *simulation) at(t time.Time, do func()) {
	s.due.count++
	heap.Push(&s.due, entry{at: t, number: s.due.count, do: do})
}

// runUntil lets time go by. Before each moment at which something happens, observe is
// called with how long nothing has.
func (s *simulation) runUntil(end time.Time, observe func(time.Duration)) {
	for s.now.Before(end) {
		next, do := end, func() {}
		if alarm, set := s.machine.NextDeadline(); set && alarm.Before(next) {
			next, do = alarm, func() { s.tell(core.Tick{}) }
		}
		if len(s.due.entries) > 0 && !s.due.entries[0].at.After(next) {
			e := heap.Pop(&s.due).(entry)
			next, do = e.at, e.do
		}
		if next.After(s.now) {
			observe(next.Sub(s.now))
			s.now = next
		}
		do()
	}
}
