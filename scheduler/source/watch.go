package source

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	nodelisters "k8s.io/client-go/listers/node/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/gang"
)

// Config is what a Source needs. Times that are zero get their defaults.
type Config struct {
	// Client reads LimitRanges, RuntimeClasses, Kubernetes' own PodGroups and, one
	// at a time, ConfigMaps.
	Client kubernetes.Interface
	// Dynamic reads Reservations, and PodGroups of other APIs.
	Dynamic dynamic.Interface
	// Informers are kube-scheduler's own, of which nodes and namespaces are taken. They
	// must have been started after New, and before Start.
	Informers informers.SharedInformerFactory
	// Pods has all pods, those that have ended too. It must have been started.
	Pods cache.SharedIndexInformer
	// SchedulerName marks the pods that are ours to place.
	SchedulerName string
	// ConfigMapTimeout is how long the settings of a Spark application may
	// take to appear before it is refused; 30 s by default.
	ConfigMapTimeout time.Duration
	// MinExecutorsFloor is the least number of executors that start with the
	// driver of an application with dynamic allocation; 1 by default.
	MinExecutorsFloor int
	// SettleTime is how long after its last executor a client-mode application
	// is taken to be complete; 2 s by default. Fifteen times as long is waited
	// at most.
	SettleTime time.Duration
	// EmptyPodGroups takes a PodGroup of Volcano's that no pod names yet for one of
	// ours.
	EmptyPodGroups bool
	// Budgets takes in the PodDisruptionBudgets of members as well.
	Budgets bool
	// Clock is the real one by default.
	Clock clock.WithDelayedExecution
}

// Source watches the cluster and posts what happens in it as events.
type Source struct {
	cfg  Config
	ctx  context.Context
	post func(core.Event)

	// mu makes the collector's steps, and the posting of what they yield, one.
	mu        sync.Mutex
	collector *collector
	reading   map[types.UID]context.CancelFunc

	limits   corelisters.LimitRangeLister
	classes  nodelisters.RuntimeClassLister
	reads    chan struct{} // one token per ConfigMap read at a time
	routines sync.WaitGroup
}

// New checks a configuration and makes a Source, which does nothing yet.
func New(cfg Config) (*Source, error) {
	if cfg.Client == nil || cfg.Dynamic == nil || cfg.Informers == nil || cfg.Pods == nil || cfg.SchedulerName == "" {
		return nil, errors.New("source: Client, Dynamic, Informers, Pods and SchedulerName are needed")
	}
	if cfg.ConfigMapTimeout == 0 {
		cfg.ConfigMapTimeout = 30 * time.Second
	}
	if cfg.SettleTime == 0 {
		cfg.SettleTime = 2 * time.Second
	}
	if cfg.Clock == nil {
		cfg.Clock = clock.RealClock{}
	}
	// Its plugins may not watch namespaces. Asked for now, they start with the others.
	cfg.Informers.Core().V1().Namespaces().Informer()
	return &Source{
		cfg: cfg,
		collector: newCollector(settings{
			schedulerName: cfg.SchedulerName, configMapTimeout: cfg.ConfigMapTimeout,
			minExecutorsFloor: cfg.MinExecutorsFloor,
			settle:            cfg.SettleTime, settleMax: 15 * cfg.SettleTime,
			emptyGroups: cfg.EmptyPodGroups,
		}),
		reading: map[types.UID]context.CancelFunc{},
		reads:   make(chan struct{}, 16),
	}, nil
}

// Start posts all that exists, then goes on posting what changes until the
// context ends. It is called once, when this process has become the leader. It
// returns when everything that exists has been posted; core.Synced follows at
// once, or as soon as the settings of the Spark applications that run already
// have been read. post must not block, and is not called twice at a time.
func (s *Source) Start(ctx context.Context, post func(core.Event)) error {
	s.ctx, s.post = ctx, post
	if err := s.watchAll(ctx); err != nil {
		return err
	}
	found, err := s.listReservations(ctx)
	if err != nil {
		return err
	}
	s.step(func(c *collector) { c.replayed(found) })
	return nil
}

// watchAll begins to watch, and returns when all that exists has been taken in.
func (s *Source) watchAll(ctx context.Context) error {
	kubernetes, err := s.kubernetesGroups()
	if err != nil {
		return err
	}
	var checks []cache.DoneChecker
	for _, w := range slices.Concat(s.ownInformers(), kubernetes, s.sharedInformers()) {
		check, err := s.watch(w)
		if err != nil {
			return err
		}
		checks = append(checks, check)
	}
	var custom []*customWatch
	for _, api := range []customAPI{volcanoGroups.custom(), coschedulingGroups.custom(), nodeZones.custom(), numatopologies.custom(), hyperNodes, queues} {
		custom = append(custom, &customWatch{source: s, customAPI: api})
	}
	for _, w := range custom {
		check, err := w.start()
		if err != nil {
			return err
		}
		checks = append(checks, check)
	}
	if !cache.WaitFor(ctx, "existing objects", checks...) {
		return fmt.Errorf("wait for existing objects: %w", context.Cause(ctx))
	}
	for _, w := range custom {
		if !w.wait(ctx) {
			return fmt.Errorf("wait for %s: %w", w.definition(), context.Cause(ctx))
		}
	}
	return nil
}

// Wait returns when all that Start began has ended, after its context has.
func (s *Source) Wait() { s.routines.Wait() }

// Pod returns a pod of ours, or one that takes room, as it was seen last, or
// nil. The object is shared and lacks what the scheduler does not use.
func (s *Source) Pod(id gang.PodID) *v1.Pod {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.collector.pods[types.UID(id)]; p != nil {
		return p.obj
	}
	return nil
}

// Ended returns how many pods of a PodGroup have ended and still exist.
func (s *Source) Ended(id gang.ID) (succeeded, failed int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.collector.ended(id)
}

// step runs one change through the collector and sends off what it yields.
// After the end of the context nothing is posted any more.
func (s *Source) step(change func(*collector)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() != nil {
		return
	}
	s.collector.now = s.cfg.Clock.Now()
	change(s.collector)
	events, errands := s.collector.take()
	for _, e := range events {
		s.post(e)
	}
	for _, e := range errands {
		s.run(e)
	}
}

// run does an errand of the collector, or begins it.
func (s *Source) run(e errand) {
	switch e := e.(type) {
	case readConf:
		ctx, cancel := context.WithCancel(s.ctx)
		s.reading[e.driver.UID] = cancel
		s.routines.Go(func() { s.readConf(ctx, e) })
	case stopReading:
		if cancel := s.reading[e.driver]; cancel != nil {
			cancel()
			delete(s.reading, e.driver)
		}
	case wake:
		s.cfg.Clock.AfterFunc(e.at.Sub(s.collector.now), func() {
			s.step(func(c *collector) { c.woken(e.client) })
		})
	case complaint:
		klog.FromContext(s.ctx).Info(e.what, "object", e.object, "err", e.err)
	case discard:
		s.routines.Go(func() { s.discard(e) })
	}
}

// watched is an informer and what is done with its objects.
type watched struct {
	informer cache.SharedIndexInformer
	handler  cache.ResourceEventHandler
	// ours informers are run by this source.
	ours bool
}

// watch begins to take in what an informer sees. What it returns is done when
// everything that existed has been taken in.
func (s *Source) watch(w watched) (cache.DoneChecker, error) {
	reg, err := w.informer.AddEventHandler(w.handler)
	if err != nil {
		return nil, fmt.Errorf("watch the cluster: %w", err)
	}
	if w.ours {
		s.routines.Go(func() { w.informer.RunWithContext(s.ctx) })
	} else {
		// The informer lives on; it must not feed a source that has ended.
		context.AfterFunc(s.ctx, func() { _ = w.informer.RemoveEventHandler(reg) })
	}
	return reg.HasSyncedChecker(), nil
}

// handle calls set for new and changed objects and gone for removed ones.
func handle[T any](set, gone func(T)) cache.ResourceEventHandler {
	return cache.ResourceEventHandlerFuncs{
		AddFunc:    func(obj any) { set(obj.(T)) },
		UpdateFunc: func(_, obj any) { set(obj.(T)) },
		DeleteFunc: func(obj any) {
			if last, ok := obj.(cache.DeletedFinalStateUnknown); ok {
				obj = last.Obj
			}
			if o, ok := obj.(T); ok {
				gone(o)
			}
		},
	}
}
