package sparkactor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"

	"muster.sh/muster/internal/sparkconf"
)

// workers is how many drivers act at the same time.
const workers = 8

// actor plays all drivers of a cluster.
type actor struct {
	client kubernetes.Interface
	log    *slog.Logger
	pods   corelisters.PodLister
	queue  workqueue.TypedRateLimitingInterface[types.NamespacedName]

	mu        sync.Mutex
	running   map[types.UID]*played
	simulated map[string]bool // by node name
}

// played is a driver that has begun to act. Only the worker that has taken its
// name from the queue uses it.
type played struct {
	app    *application
	prefix string // of its executors' names
}

// Run plays the drivers on simulated nodes until ctx ends, and logs what they do.
func Run(ctx context.Context, client kubernetes.Interface, log *slog.Logger) error {
	factory := informers.NewSharedInformerFactoryWithOptions(client, 0,
		informers.WithTweakListOptions(func(options *metav1.ListOptions) { options.LabelSelector = sparkconf.LabelRole }))
	informer := factory.Core().V1().Pods().Informer()
	a := &actor{
		client:    client,
		log:       log,
		pods:      factory.Core().V1().Pods().Lister(),
		queue:     workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[types.NamespacedName]()),
		running:   map[types.UID]*played{},
		simulated: map[string]bool{},
	}
	handler := cache.ResourceEventHandlerFuncs{
		AddFunc:    a.enqueue,
		UpdateFunc: func(_, pod any) { a.enqueue(pod) },
		DeleteFunc: a.enqueue,
	}
	if _, err := informer.AddEventHandler(handler); err != nil {
		return fmt.Errorf("watch Spark pods: %w", err)
	}
	factory.Start(ctx.Done())
	defer factory.Shutdown()
	if !cache.WaitForCacheSync(ctx.Done(), informer.HasSynced) {
		return ctx.Err()
	}
	var group sync.WaitGroup
	for range workers {
		group.Go(func() { a.serve(ctx) })
	}
	<-ctx.Done()
	a.queue.ShutDown()
	group.Wait()
	return nil
}

// enqueue has the driver of a pod look at its executors.
func (a *actor) enqueue(object any) {
	if gone, ok := object.(cache.DeletedFinalStateUnknown); ok {
		object = gone.Obj
	}
	pod, ok := object.(*corev1.Pod)
	if !ok {
		return
	}
	if pod.Labels[sparkconf.LabelRole] == sparkconf.RoleDriver {
		a.queue.Add(types.NamespacedName{Namespace: pod.Namespace, Name: pod.Name})
	} else if owner := metav1.GetControllerOf(pod); owner != nil && owner.Kind == "Pod" {
		a.queue.Add(types.NamespacedName{Namespace: pod.Namespace, Name: owner.Name})
	}
}

func (a *actor) serve(ctx context.Context) {
	for {
		name, shutdown := a.queue.Get()
		if shutdown {
			return
		}
		wake, err := a.act(ctx, name)
		switch {
		case ctx.Err() != nil:
		case err != nil:
			a.log.Warn("simulated Spark driver", "driver", name, "error", err)
			a.queue.AddRateLimited(name)
		default:
			a.queue.Forget(name)
			if wake > 0 {
				a.queue.AddAfter(name, wake)
			}
		}
		a.queue.Done(name)
	}
}

// act plays one driver one step. It returns when to look again, zero for never.
func (a *actor) act(ctx context.Context, name types.NamespacedName) (time.Duration, error) {
	driver, err := a.pods.Pods(name.Namespace).Get(name.Name)
	if apierrors.IsNotFound(err) {
		return 0, nil // the executors are owned by it and go with it
	}
	if err != nil {
		return 0, err
	}
	if driver.Spec.NodeName == "" || driver.Status.Phase == corev1.PodPending {
		return 0, nil
	}
	if simulated, err := a.onSimulatedNode(ctx, driver); err != nil || !simulated {
		return 0, err
	}
	executors, err := a.executorsOf(driver)
	if err != nil {
		return 0, err
	}
	if driver.Status.Phase != corev1.PodRunning || driver.DeletionTimestamp != nil {
		a.forget(driver)
		return 0, a.failOrphans(ctx, executors)
	}
	p, err := a.played(ctx, driver, executors)
	if err != nil {
		return 0, err
	}
	known := make([]executor, 0, len(executors))
	for _, pod := range executors {
		known = append(known, observe(pod))
	}
	d := p.app.step(time.Now(), known)
	if d.finish {
		return 0, a.finish(ctx, driver, p)
	}
	return d.wake, a.carryOut(ctx, driver, p, executors, d)
}

// observe reduces an executor pod to what the driver knows of it.
func observe(pod *corev1.Pod) executor {
	ended := pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
	return executor{
		id:      executorID(pod),
		running: pod.Status.Phase == corev1.PodRunning,
		lost:    ended || pod.DeletionTimestamp != nil,
	}
}

func executorID(pod *corev1.Pod) int {
	id, err := strconv.Atoi(pod.Labels[labelExecutorID])
	if err != nil {
		return -1 // not one of ours
	}
	return id
}

func (a *actor) onSimulatedNode(ctx context.Context, pod *corev1.Pod) (bool, error) {
	a.mu.Lock()
	simulated, known := a.simulated[pod.Spec.NodeName]
	a.mu.Unlock()
	if known {
		return simulated, nil
	}
	node, err := a.client.CoreV1().Nodes().Get(ctx, pod.Spec.NodeName, metav1.GetOptions{})
	if err != nil {
		return false, fmt.Errorf("look at node %s: %w", pod.Spec.NodeName, err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.simulated[node.Name] = node.Labels[labelSimulated] == "true"
	return a.simulated[node.Name], nil
}

func (a *actor) executorsOf(driver *corev1.Pod) ([]*corev1.Pod, error) {
	all, err := a.pods.Pods(driver.Namespace).List(labels.SelectorFromSet(labels.Set{
		sparkconf.LabelAppID: driver.Labels[sparkconf.LabelAppID],
		sparkconf.LabelRole:  sparkconf.RoleExecutor,
	}))
	if err != nil {
		return nil, err
	}
	var owned []*corev1.Pod
	for _, pod := range all {
		if metav1.IsControlledBy(pod, driver) && executorID(pod) > 0 {
			owned = append(owned, pod)
		}
	}
	return owned, nil
}

// played returns the driver's mind; at first it reads the driver's settings.
func (a *actor) played(ctx context.Context, driver *corev1.Pod, executors []*corev1.Pod) (*played, error) {
	a.mu.Lock()
	p := a.running[driver.UID]
	a.mu.Unlock()
	if p != nil {
		return p, nil
	}
	c, err := a.settings(ctx, driver)
	if err != nil {
		return nil, fmt.Errorf("read settings: %w", err)
	}
	highest := 0
	for _, pod := range executors {
		highest = max(highest, executorID(pod))
	}
	p = &played{app: newApplication(c, time.Now(), highest), prefix: c.appName + "-" + uniqueSuffix()}
	a.mu.Lock()
	a.running[driver.UID] = p
	a.mu.Unlock()
	a.log.Info("simulated Spark driver runs", "driver", driver.Name, "executors", c.initial)
	return p, nil
}

// settings reads those of a driver, and the pod template that they may name.
func (a *actor) settings(ctx context.Context, driver *corev1.Pod) (conf, error) {
	source, found := sparkconf.PropertiesSource(driver)
	if !found {
		return conf{}, errors.New("the driver pod names no spark.properties")
	}
	properties, err := a.text(ctx, driver.Namespace, source)
	if err != nil {
		return conf{}, err
	}
	template := ""
	if source, found := sparkconf.TemplateSource(driver); found {
		if template, err = a.text(ctx, driver.Namespace, source); err != nil {
			return conf{}, err
		}
	}
	return readConf(driver, properties, template)
}

func (a *actor) text(ctx context.Context, namespace string, source sparkconf.Source) (string, error) {
	config, err := a.client.CoreV1().ConfigMaps(namespace).Get(ctx, source.ConfigMap, metav1.GetOptions{})
	if err != nil {
		return "", err
	}
	return config.Data[source.Key], nil
}

func (a *actor) forget(driver *corev1.Pod) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.running, driver.UID)
}
