package core_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/queue"
)

// crowd is a cluster on which gangs of many queues run, and many more wait.
type crowd struct {
	*bench
	random *rand.Rand
	queues []string
	// free GPUs of each node, as long as nothing has started.
	free  []int
	gangs map[gang.ID]crowdGang
	made  int
}

type crowdGang struct {
	queue string
	pods  []gang.PodID
}

// newCrowd lets gangs of each queue run that have so many GPUs together, of 4,000 that
// there are, and others wait. With quota a queue may have no more than it has.
func newCrowd(waiting int, queues []queue.Spec, each int, quota bool) *crowd {
	c := &crowd{bench: unsynced(core.DefaultOptions()), random: rand.New(rand.NewPCG(1, 1)), gangs: map[gang.ID]crowdGang{}}
	c.gpuNodes(500)
	c.free = slices.Repeat([]int{8}, 500)
	above := map[string]bool{}
	for _, q := range queues {
		above[q.Parent] = true
	}
	for _, q := range queues {
		if !above[q.Name] {
			c.queues = append(c.queues, q.Name)
			if quota {
				q.Capability = queue.LimitsOf(map[string]int64{gpus: int64(each)})
			}
		}
		c.send(core.QueueSet{Queue: q})
	}
	for _, q := range c.queues {
		for left := each; left > 0; {
			left -= c.run(q, left)
		}
	}
	for i := range waiting {
		c.add(c.queues[i%len(c.queues)])
	}
	c.send(core.Synced{})
	return c
}

// gpusOfAPod are drawn from.
var gpusOfAPod = []int{1, 2, 4, 8}

// add creates a gang of one to four pods.
func (c *crowd) add(queue string) gang.ID {
	return c.submit(queue, 1+c.random.IntN(4), gpusOfAPod[c.random.IntN(4)])
}

func (c *crowd) submit(queue string, size, each int) gang.ID {
	name, g := fmt.Sprintf("g%d", c.made), crowdGang{queue: queue}
	c.made++
	for k := range size {
		g.pods = append(g.pods, gang.PodID(fmt.Sprintf("%s-%d", name, k)))
	}
	id := c.gpuGroup(name, queue, size, each)
	c.gangs[id] = g
	return id
}

// run creates a gang that runs already, of at most so many GPUs, and returns how many
// these are.
func (c *crowd) run(queue string, most int) int {
	each := gpusOfAPod[c.random.IntN(4)]
	for each > min(most, slices.Max(c.free)) {
		each /= 2
	}
	var nodes []int
	for range 1 + c.random.IntN(min(4, most/each)) {
		at := slices.IndexFunc(c.free, func(free int) bool { return free >= each })
		if at < 0 {
			break
		}
		c.free[at] -= each
		nodes = append(nodes, at)
	}
	id := c.submit(queue, len(nodes), each)
	for k, at := range nodes {
		c.send(podSet(c.members[c.gangs[id].pods[k]], fmt.Sprintf("n%05d", at)))
	}
	return each * len(nodes)
}

// anyRunning is one of the gangs that run.
func (c *crowd) anyRunning() gang.ID {
	ids := slices.Sorted(maps.Keys(c.open))
	return ids[c.random.IntN(len(ids))]
}

// end lets the pods of a gang end, one after the other.
func (c *crowd) end(id gang.ID) {
	for _, pod := range c.gangs[id].pods {
		c.send(core.PodGone{ID: pod, End: core.Succeeded})
		delete(c.members, pod)
	}
	c.send(core.GangGone{ID: id})
	delete(c.open, id)
	delete(c.gangs, id)
}

// flatQueues are siblings, in which gangs pass others that lack quota.
func flatQueues(n int) []queue.Spec {
	var out []queue.Spec
	for i := range n {
		out = append(out, queue.Spec{Name: fmt.Sprintf("q%d", i), Weight: int64(1 + i%4), Backfill: true})
	}
	return out
}

// deepQueues are three levels of them: departments, teams and the queues of these.
func deepQueues(departments, teams, each int) []queue.Spec {
	var out []queue.Spec
	add := func(parent string, n int) (names []string) {
		for i := range n {
			s := queue.Spec{Name: fmt.Sprintf("%s%d", parent+"q", i), Parent: parent, Weight: int64(1 + i%4), Backfill: true}
			out, names = append(out, s), append(names, s.Name)
		}
		return names
	}
	for _, d := range add("", departments) {
		for _, t := range add(d, teams) {
			add(t, each)
		}
	}
	return out
}

// BenchmarkAdmission measures what the end of a gang costs while 10,000 wait in 200
// queues, until who is next has started: where the cluster is full, and where no queue
// may have more. A step is one event.
func BenchmarkAdmission(tb *testing.B) {
	for _, c := range []struct {
		name   string
		queues []queue.Spec
		each   int
		quota  bool
	}{
		{"flat/room", flatQueues(200), 20, false}, {"flat/quota", flatQueues(200), 16, true},
		{"deep/room", deepQueues(8, 5, 5), 20, false}, {"deep/quota", deepQueues(8, 5, 5), 16, true},
	} {
		tb.Run(c.name, func(tb *testing.B) {
			crowd := newCrowd(10_000, c.queues, c.each, c.quota)
			var took, slowest time.Duration
			steps, ended, running := 0, 0, len(crowd.open)
			for tb.Loop() {
				id := crowd.anyRunning()
				queue := crowd.gangs[id].queue
				from := crowd.steps
				crowd.slowest = 0
				began := time.Now()
				crowd.end(id)
				took += time.Since(began)
				slowest = max(slowest, crowd.slowest)
				steps += crowd.steps - from
				ended++
				crowd.add(queue)
			}
			tb.ReportMetric(float64(len(crowd.open)-running+ended)/float64(ended), "started/gang")
			tb.ReportMetric(took.Seconds()*1000/float64(ended), "ms/gang")
			tb.ReportMetric(took.Seconds()*1000/float64(steps), "ms/step")
			tb.ReportMetric(slowest.Seconds()*1000, "ms/slowest")
		})
	}
}

// BenchmarkHeld measures what the end of a gang costs, until the next one has started,
// while others wait before it for which there is no node.
func BenchmarkHeld(tb *testing.B) {
	for _, held := range []int{0, 1000} {
		tb.Run(fmt.Sprintf("held=%d", held), func(tb *testing.B) {
			crowd := newCrowd(0, flatQueues(1), 4000, false)
			for range held {
				crowd.submit(crowd.queues[0], 20, 9)
			}
			crowd.add(crowd.queues[0])
			var took time.Duration
			ended := 0
			for tb.Loop() {
				id := crowd.anyRunning()
				began := time.Now()
				crowd.end(id)
				took += time.Since(began)
				ended++
				crowd.add(crowd.queues[0])
			}
			tb.ReportMetric(took.Seconds()*1000/float64(ended), "ms/gang")
		})
	}
}
