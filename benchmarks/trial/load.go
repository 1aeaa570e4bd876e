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
	cluster *localcluster.Cluster
	client  kubernetes.Interface
	on      scenario.Scenario
	by      contender.Contender
}

func newLoad(c *localcluster.Cluster, on scenario.Scenario, by contender.Contender) (*load, error) {
	client, err := floor.NewClient(c.RESTConfig())
	if err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
	}
	return &load{c, client, on, by}, nil
}

// prepare makes the namespace and what tells of the gangs, which takes a
// contender no time.
func (l *load) prepare(ctx context.Context) error {
	_, err := l.client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: scenario.Namespace}}, metav1.CreateOptions{})
	// A contender's manifests may have it already.
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("make the namespace: %w", err)
	}
	// No pod is admitted before the namespace has its default account.
	err = wait.PollUntilContextTimeout(ctx, 100*time.Millisecond, time.Minute, true, func(ctx context.Context) (bool, error) {
		_, err := l.client.CoreV1().ServiceAccounts(scenario.Namespace).Get(ctx, "default", metav1.GetOptions{})
		return err == nil, nil
	})
	if err != nil {
		return fmt.Errorf("wait for the namespace's account: %w", err)
	}
	if l.by.Declare == nil || l.on.Plain || l.on.Mode == scenario.Burst {
		return nil
	}
	return l.groups(ctx)
}

// groups tells the contender of the gangs.
func (l *load) groups(ctx context.Context) error {
	config := l.cluster.RESTConfig()
	config.WarningHandler = rest.NoWarnings{}
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("make a client: %w", err)
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(creators)
	for i := range l.on.Gangs {
		object := l.by.Declare(l.gang(i))
		group.Go(func() error {
			if _, err := client.Resource(l.by.Groups).Namespace(scenario.Namespace).Create(ctx, object, metav1.CreateOptions{}); err != nil {
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

// pods creates all pods, gang after gang.
func (l *load) pods(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(creators)
	for i := range l.on.Gangs {
		for j := range l.on.Size {
			pod := l.pod(l.gang(i), j)
			group.Go(func() error {
				if _, err := l.client.CoreV1().Pods(scenario.Namespace).Create(ctx, pod, metav1.CreateOptions{}); err != nil {
					return fmt.Errorf("create pod %s: %w", pod.Name, err)
				}
				return nil
			})
		}
	}
	return group.Wait()
}

func (l *load) pod(g contender.Gang, i int) *corev1.Pod {
	p := l.by.NewPod(g, i)
	if !l.on.Plain {
		l.by.Join(p, g)
	}
	return p
}
