package trial

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"

	"muster.sh/muster/benchmarks/audit"
	"muster.sh/muster/benchmarks/contender"
	"muster.sh/muster/benchmarks/scenario"
)

const (
	// streamed is how long pods of a stream run.
	streamed = 5 * time.Second
	// calmTimeout is how long a scheduler may take to have done with the gangs that it has
	// to hold. One that never has is measured all the same.
	calmTimeout = 3 * time.Minute
	calmPoll    = 3 * time.Second
	// heldPrefix begins the names of gangs that can't start, and of their pods.
	heldPrefix = "held-"
	// lacking is a resource that no node has.
	lacking = corev1.ResourceName("example.com/lacking")
)

// hold creates the gangs that can't start, and waits until the scheduler has done with
// them.
func (m *measured) hold(ctx context.Context, load *load) error {
	var gangs []contender.Gang
	var pods []*corev1.Pod
	for i := range m.Scenario.Held / m.Scenario.Size {
		g, members := load.heldGang(i)
		gangs, pods = append(gangs, g), append(pods, members...)
	}
	if err := load.declare(ctx, gangs...); err != nil {
		return err
	}
	if err := load.create(ctx, pods...); err != nil {
		return err
	}
	return m.calm(ctx)
}

// calm waits until the scheduler is idle and writes no more of what is held: it may tell a
// gang some time after it has decided.
func (m *measured) calm(ctx context.Context) error {
	calming, cancel := context.WithTimeout(ctx, calmTimeout)
	defer cancel()
	for before := -1; m.repeated != before; {
		before = m.repeated
		err := sleepUntil(calming, time.Now().Add(calmPoll))
		if err == nil {
			_, err = m.idle(calming)
		}
		if calming.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			return err
		}
		log, err := audit.Open(m.cluster.AuditLogPath())
		if err != nil {
			return err
		}
		m.repeated = m.repeats(audit.Writes(log))
	}
	return nil
}

// repeats is how often the scheduler has written again of what is held.
func (m *measured) repeats(w audit.WriteCounts) int {
	return w.Repeats(func(o audit.ObjectName) bool { return strings.HasPrefix(o.Name, heldPrefix) }, m.wrote)
}

// heldGang is a gang that can't start, with its pods. One half of such gangs lack a
// member, the other half ask for something that no node has.
func (l *load) heldGang(i int) (contender.Gang, []*corev1.Pod) {
	g := contender.Gang{Namespace: scenario.Namespace, Name: fmt.Sprintf("%s%05d", heldPrefix, i), Size: l.on.Size}
	if i%2 == 0 {
		g.Size++
		return g, l.pods(g)[:l.on.Size]
	}
	pods := l.pods(g)
	for _, p := range pods {
		main := &p.Spec.Containers[0].Resources // whose requests are its limits
		main.Requests[lacking] = resource.MustParse("1")
		main.Limits[lacking] = resource.MustParse("1")
	}
	return g, pods
}

// stream has some gangs wait at any time, for as long as the scenario says: when one is
// whole the next is created.
func (m *measured) stream(ctx context.Context, load *load) error {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(m.Scenario.Seconds)*time.Second)
	defer cancel()
	starts, err := watchStarts(ctx, load.client, m.Scenario.Size)
	if err != nil {
		return err
	}
	var group errgroup.Group
	var created atomic.Int64
	for range m.Scenario.Gangs {
		group.Go(func() error {
			for ctx.Err() == nil {
				g := load.gang(int(created.Add(1)))
				if err := load.submit(ctx, g, streamed); err != nil && ctx.Err() == nil {
					return err
				}
				select {
				case <-starts.of(g.Name):
				case <-ctx.Done():
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// submit creates a gang whose pods run for a time.
func (l *load) submit(ctx context.Context, g contender.Gang, runs time.Duration) error {
	if err := l.declare(ctx, g); err != nil {
		return err
	}
	pods := l.pods(g)
	for _, p := range pods {
		lasting(p, runs)
	}
	return l.create(ctx, pods...)
}

// starts tells of gangs when all of their members have been bound.
type starts struct {
	size int

	mu    sync.Mutex
	gangs map[string]*start
}

type start struct {
	bound int
	whole chan struct{}
}

// watchStarts watches the pods that are bound until the context ends.
func watchStarts(ctx context.Context, client kubernetes.Interface, size int) (*starts, error) {
	s := &starts{size: size, gangs: map[string]*start{}}
	bound := fields.OneTermNotEqualSelector("spec.nodeName", "").String()
	factory := informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithNamespace(scenario.Namespace),
		informers.WithTweakListOptions(func(o *metav1.ListOptions) { o.FieldSelector = bound }))
	pods := factory.Core().V1().Pods().Informer()
	_, err := pods.AddEventHandler(cache.ResourceEventHandlerFuncs{AddFunc: func(object any) {
		if p, ok := object.(*corev1.Pod); ok {
			s.note(p.Labels[contender.GangLabel])
		}
	}})
	if err != nil {
		return nil, fmt.Errorf("watch the pods: %w", err)
	}
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	return s, nil
}

// note counts one more member of a gang that is bound.
func (s *starts) note(gang string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.get(gang)
	if g.bound++; g.bound == s.size {
		close(g.whole)
	}
}

// of returns what is closed once all members of a gang have been bound.
func (s *starts) of(gang string) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.get(gang).whole
}

func (s *starts) get(gang string) *start {
	g := s.gangs[gang]
	if g == nil {
		g = &start{whole: make(chan struct{})}
		s.gangs[gang] = g
	}
	return g
}

// judgeStream tells how fast a stream was bound, and what was written of those that are
// held meanwhile. None of these may have been bound.
func (m *measured) judgeStream(gangs []audit.Gang, w audit.WriteCounts) {
	m.result.Rate = float64(m.result.Bound) / float64(m.Scenario.Seconds)
	m.result.Repeats = m.repeats(w) - m.repeated
	for _, g := range gangs {
		if !strings.HasPrefix(g.Name, heldPrefix) {
			continue
		}
		if i := slices.IndexFunc(g.Members, func(p *audit.Pod) bool { return p.Bound.Known() }); i >= 0 {
			m.result.Faults = append(m.result.Faults, fmt.Sprintf("gang %s can't start, but pod %s was bound", g, g.Members[i].Name))
		}
	}
}
