// Package kubeletoracle holds the model of what a kubelet does with NUMA zones
// against the kubelet's own code, on random machines and random streams of pods; and
// schedulers, on clusters whose kubelets that code plays.
package kubeletoracle

import (
	"fmt"
	"math/bits"
	"slices"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"pgregory.net/rapid"

	"muster.sh/muster/scheduler/numa"
	"muster.sh/muster/scheduler/resource"
)

// TestTheModelForetellsTheKubelet holds, for each pod of a stream:
//   - what the model admits the kubelet admits, from the zones foretold unless
//     the model says that it is not certain of them;
//   - what the model refuses the kubelet refuses, unless the model says that it
//     doubts;
//   - a pod that ends gives back what was foretold;
//   - as many of a kind are admitted one after the other as Times says;
//   - pods that AdmitAll admits in any order are admitted in the order drawn;
//   - what the kubelet reports always tells what the pods on it have.
func TestTheModelForetellsTheKubelet(t *testing.T) {
	tally := tally{counts: map[string]int{}}
	rapid.Check(t, func(t *rapid.T) {
		s := begin(t, &tally)
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			s.step()
			s.told()
		}
	})
	tally.report(t)
}

// stream is one machine, its kubelet, and what the model thinks of it.
type stream struct {
	t       *rapid.T
	tally   *tally
	kubelet *kubelet
	model   *numa.Topology
	state   numa.State
	serial  int
	running []resident
}

// resident is a pod on the machine, and what the model knows of it.
type resident struct {
	pod   *corev1.Pod
	asks  *numa.Demand
	taken numa.Allocation
	known bool
}

func begin(t *rapid.T, tally *tally) *stream {
	m := machines().Draw(t, "machine")
	s := &stream{t: t, tally: tally, kubelet: boot(t, m, drawn(t)), model: m.topology()}
	s.state = s.model.Empty()
	s.same("an empty machine", s.state)
	return s
}

// drawn lets any device be chosen.
func drawn(t *rapid.T) func([]device) []device {
	return func(list []device) []device { return rapid.Permutation(list).Draw(t, "devices") }
}

func (s *stream) step() {
	switch action := rapid.IntRange(0, 9).Draw(s.t, "action"); {
	case action < 5:
		s.admit(kinds().Draw(s.t, "pod"))
	case action < 7 && len(s.running) > 0:
		s.end(rapid.IntRange(0, len(s.running)-1).Draw(s.t, "which ends"))
	case action == 7 && len(s.running) > 0:
		r := &s.running[rapid.IntRange(0, len(s.running)-1).Draw(s.t, "which runs")]
		s.kubelet.run(r.pod)
		r.known = false
		s.state = s.kubelet.state(s.model)
	case action == 8:
		s.times(kinds().Draw(s.t, "pod"))
	default:
		s.any(rapid.SliceOfN(kinds(), 1, 3).Draw(s.t, "pods"))
	}
}

func (s *stream) admit(k kind) bool {
	s.serial++
	pod := k.pod(s.serial)
	taken, refusal := s.model.Admit(s.state, &k.demand)
	admitted := s.kubelet.admit(pod).Admit
	s.tally.add(s.model.Policy, verdict(admitted, taken, refusal))
	switch {
	case refusal == nil && !admitted:
		s.t.Fatalf("the model admits %+v, the kubelet does not\non %+v\nwith %+v left", k, s.model, s.state)
	case refusal != nil && !refusal.Doubt && admitted:
		s.t.Fatalf("the model says %s of %+v, the kubelet admits it\non %+v\nwith %+v left", refusal, k, s.model, s.state)
	case !admitted:
		if !refusal.Doubt {
			s.same("a pod that was refused", s.state)
		}
		s.state = s.kubelet.state(s.model)
		return false
	}
	certain := refusal == nil && !taken.Uncertain
	if certain {
		s.same(fmt.Sprintf("a pod %+v that took %+v", k, taken), s.state.Take(taken))
	}
	s.state = s.kubelet.state(s.model)
	s.running = append(s.running, resident{pod: pod, asks: &k.demand, taken: taken, known: certain})
	return true
}

func (s *stream) end(i int) {
	r := s.running[i]
	s.running = append(s.running[:i:i], s.running[i+1:]...)
	s.kubelet.end(r.pod)
	if r.known {
		s.same(fmt.Sprintf("the end of a pod that had %+v", r.taken), s.model.Give(s.state, r.taken))
	}
	s.state = s.kubelet.state(s.model)
}

// times admits as many of a kind as the model says, and one more where it is
// certain that there is no room for one more.
func (s *stream) times(k kind) {
	const limit = 6
	n := s.model.Times(s.state, &k.demand, limit)
	if !s.model.Refuses() {
		return
	}
	for i := range n {
		if !s.admit(k) {
			s.t.Fatalf("Times says %d of %+v, the kubelet refuses number %d\non %+v", n, k, i+1, s.model)
		}
	}
}

func (s *stream) any(pods []kind) {
	var demands []*numa.Demand
	for _, k := range pods {
		demands = append(demands, &k.demand)
	}
	all := s.model.AdmitAll(s.state, demands)
	for i, k := range rapid.Permutation(pods).Draw(s.t, "order") {
		if !s.admit(k) && all && s.model.Refuses() {
			s.t.Fatalf("AdmitAll admits %+v, the kubelet refuses number %d: %+v\non %+v", pods, i+1, k, s.model)
		}
	}
}

// told says whether the kubelet's report is one that can be believed.
func (s *stream) told() {
	var free []resource.Vector
	for _, zone := range s.kubelet.state(s.model) {
		free = append(free, zone.Left)
	}
	var demands []*numa.Demand
	for _, r := range s.running {
		demands = append(demands, r.asks)
	}
	if !s.model.Tells(free, demands) {
		s.t.Fatalf("the kubelet has %+v left beside %+v, which is too much\non %+v", free, s.running, s.model)
	}
}

// same says whether the kubelet has left what the model thinks.
func (s *stream) same(after string, want numa.State) {
	got := s.kubelet.state(s.model)
	w, g := grouped(want), grouped(got)
	for z := range w {
		if !w[z].Left.Equal(g[z].Left) || w[z].Blocks != g[z].Blocks || w[z].Group != g[z].Group {
			s.t.Fatalf("after %s zone %d has %+v left, the model says %+v\nbefore: %+v\non %+v", after, z, got[z], want[z], s.state, s.model)
		}
	}
}

// grouped moves what zones of a group have left of memory to the first of them.
// The kubelet counts it by zone, but no decision on a group looks at that; and a
// pod that it refuses half-way moves it.
func grouped(s numa.State) numa.State {
	out := slices.Clone(s)
	for z, f := range s {
		first := bits.TrailingZeros64(uint64(f.Group))
		if f.Group == 0 || z == first || s[first].Group != f.Group {
			continue
		}
		for _, name := range []string{resource.Memory, pages} {
			out[first].Left = out[first].Left.With(name, out[first].Left.Get(name)+f.Left.Get(name))
			out[z].Left = out[z].Left.With(name, 0)
		}
	}
	return out
}

// tally counts how the model and the kubelet agree, by policy.
type tally struct {
	sync.Mutex
	counts map[string]int
}

func verdict(admitted bool, taken numa.Allocation, refusal *numa.Refusal) string {
	switch {
	case refusal == nil && taken.Uncertain:
		return "admitted by both, zones uncertain"
	case refusal == nil:
		return "admitted by both"
	case refusal.Doubt && admitted:
		return "admitted, but refused in doubt"
	case refusal.Doubt:
		return "refused, in doubt"
	}
	return "refused by both"
}

func (c *tally) add(policy numa.Policy, what string) {
	c.Lock()
	defer c.Unlock()
	c.counts[string(policy)+": "+what]++
}

func (c *tally) report(t *testing.T) {
	for _, policy := range []numa.Policy{numa.None, numa.BestEffort, numa.Restricted, numa.SingleNUMANode} {
		for _, what := range []string{
			"admitted by both", "admitted by both, zones uncertain", "refused by both",
			"refused, in doubt", "admitted, but refused in doubt",
		} {
			t.Logf("%s: %s: %d", policy, what, c.counts[string(policy)+": "+what])
		}
	}
}
