package trial

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"muster.sh/muster/benchmarks/contender"
	"muster.sh/muster/benchmarks/floor"
	"muster.sh/muster/benchmarks/scenario"
	"muster.sh/muster/internal/localcluster"
)

const (
	// creators is how many requests create objects at a time.
	creators = 32
)

// load creates what a scenario asks for.
type load struct {
	client  kubernetes.Interface
	objects dynamic.Interface
	on      scenario.Scenario
	by      contender.Contender
}

func newLoad(c *localcluster.Cluster, on scenario.Scenario, by contender.Contender) (*load, error) {
	client, err := floor.NewClient(c.RESTConfig())
	if err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
	}
	config := c.RESTConfig()
	config.QPS, config.WarningHandler = -1, rest.NoWarnings{}
	objects, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
	}
	return &load{client, objects, on, by}, nil
}

// makeNamespace makes a namespace for pods.
func (l *load) makeNamespace(ctx context.Context, name string) error {
	_, err := l.client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{})
	// A contender's manifests may have it already.
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("make the namespace: %w", err)
	}
	// No pod is admitted before the namespace has its default account.
	err = wait.PollUntilContextTimeout(ctx, 100*time.Millisecond, time.Minute, true, func(ctx context.Context) (bool, error) {
		_, err := l.client.CoreV1().ServiceAccounts(name).Get(ctx, "default", metav1.GetOptions{})
		return err == nil, nil
	})
	if err != nil {
		return fmt.Errorf("wait for the namespace's account: %w", err)
	}
	return nil
}

// declare tells the contender of gangs, where something besides their pods does.
func (l *load) declare(ctx context.Context, gangs ...contender.Gang) error {
	if l.by.Declare == nil || l.on.Plain {
		return nil
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(creators)
	for _, g := range gangs {
		object := l.by.Declare(g)
		group.Go(func() error {
			if _, err := l.objects.Resource(l.by.Groups).Namespace(g.Namespace).Create(ctx, object, metav1.CreateOptions{}); err != nil {
				return fmt.Errorf("create %s %s: %w", object.GetKind(), object.GetName(), err)
			}
			return nil
		})
	}
	return group.Wait()
}

func (l *load) gang(i int) contender.Gang {
	return contender.Gang{Namespace: scenario.Namespace, Name: fmt.Sprintf("g%05d", i), Size: l.on.Size}
}

// gangs are those of the scenario.
func (l *load) gangs() []contender.Gang {
	gangs := make([]contender.Gang, l.on.Gangs)
	for i := range gangs {
		gangs[i] = l.gang(i)
	}
	return gangs
}

// pods are those of gangs, gang after gang.
func (l *load) pods(gangs ...contender.Gang) []*corev1.Pod {
	var pods []*corev1.Pod
	for _, g := range gangs {
		for i := range g.Size {
			pods = append(pods, l.pod(g, i))
		}
	}
	return pods
}

func (l *load) pod(g contender.Gang, i int) *corev1.Pod {
	p := l.by.NewPod(g, i)
	if !l.on.Plain {
		l.by.Join(p, g)
	}
	return p
}

// create creates pods, in their order as far as several are on their way at a time.
func (l *load) create(ctx context.Context, pods ...*corev1.Pod) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(creators)
	for _, pod := range pods {
		group.Go(func() error {
			if _, err := l.client.CoreV1().Pods(pod.Namespace).Create(ctx, pod, metav1.CreateOptions{}); err != nil {
				return fmt.Errorf("create pod %s: %w", pod.Name, err)
			}
			return nil
		})
	}
	return group.Wait()
}

// lasting has a pod end by itself when it has run for a time.
func lasting(p *corev1.Pod, d time.Duration) {
	if p.Annotations == nil {
		p.Annotations = map[string]string{}
	}
	p.Annotations[localcluster.DurationAnnotation] = d.String()
}
