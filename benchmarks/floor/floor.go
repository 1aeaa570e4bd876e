// Package floor is a scheduler that decides nothing: it fills node after node in
// the order in which pods appear. It starts, watches and binds as other schedulers
// do, and so tells what none of them can beat on a machine.
package floor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/spf13/pflag"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
)

const (
	// Name is the scheduler's name, as a component and in pods.
	Name = "floor"
	// Command is the command of muster-bench that runs it.
	Command = "floor-scheduler"

	// concurrency is how many binds are on their way at a time: as many as keep
	// an API server on few cores busy.
	concurrency = 64
)

// Run runs the scheduler with the flags of a kube-scheduler until the context
// ends. It knows what it needs of them.
func Run(ctx context.Context, args []string) error {
	var kubeconfig, address, port, cert, key string
	flags := pflag.NewFlagSet(Command, pflag.ContinueOnError)
	flags.ParseErrorsAllowlist.UnknownFlags = true
	flags.StringVar(&kubeconfig, "kubeconfig", "", "kubeconfig file")
	flags.StringVar(&address, "bind-address", "127.0.0.1", "address to serve health on")
	flags.StringVar(&port, "secure-port", "0", "port to serve health on")
	flags.StringVar(&cert, "tls-cert-file", "", "certificate to serve with")
	flags.StringVar(&key, "tls-private-key-file", "", "its key")
	if err := flags.Parse(args); err != nil {
		return err
	}
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	client, err := NewClient(config)
	if err != nil {
		return err
	}
	s, err := start(ctx, client)
	if err != nil {
		return err
	}
	health := http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})}
	context.AfterFunc(ctx, func() { _ = health.Close() })
	health.Addr = net.JoinHostPort(address, port)
	err = health.ListenAndServeTLS(cert, key)
	s.binding.Wait()
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// NewClient makes a client without limits that speaks protobuf, as schedulers do.
// It changes the configuration.
func NewClient(config *rest.Config) (kubernetes.Interface, error) {
	config.QPS = -1
	config.AcceptContentTypes = runtime.ContentTypeProtobuf + "," + runtime.ContentTypeJSON
	config.ContentType = runtime.ContentTypeProtobuf
	return kubernetes.NewForConfig(config)
}

// scheduler binds pods to slots, one after the other.
type scheduler struct {
	client  kubernetes.Interface
	pending chan *corev1.Pod
	binding sync.WaitGroup
}

// start begins to bind, now and whenever a pod comes.
func start(ctx context.Context, client kubernetes.Interface) (*scheduler, error) {
	factory := informers.NewSharedInformerFactory(client, 0)
	nodes, pods := factory.Core().V1().Nodes(), factory.Core().V1().Pods()
	s := &scheduler{client: client, pending: make(chan *corev1.Pod, concurrency)}
	nodesSynced := nodes.Informer().HasSynced
	seen := map[types.UID]bool{}
	feed := func(object any) {
		p, ok := object.(*corev1.Pod)
		if !ok || p.Spec.SchedulerName != Name || p.Spec.NodeName != "" || seen[p.UID] {
			return
		}
		seen[p.UID] = true
		select {
		case s.pending <- p:
		case <-ctx.Done():
		}
	}
	factory.Start(ctx.Done())
	if !cache.WaitForCacheSync(ctx.Done(), nodesSynced) {
		return nil, errors.New("the nodes could not be read")
	}
	s.bindAll(ctx, nodes.Lister())
	if _, err := pods.Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{AddFunc: feed}); err != nil {
		return nil, err
	}
	factory.Start(ctx.Done())
	if !cache.WaitForCacheSync(ctx.Done(), pods.Informer().HasSynced) {
		return nil, errors.New("the pods could not be read")
	}
	return s, nil
}

// list returns the name of a node for each CPU that there is.
func list(nodes corelisters.NodeLister) ([]string, error) {
	all, err := nodes.List(labels.Everything())
	if err != nil {
		return nil, err
	}
	var slots []string
	for _, n := range all {
		for range n.Status.Allocatable.Cpu().Value() {
			slots = append(slots, n.Name)
		}
	}
	if len(slots) == 0 {
		return nil, errors.New("no node has a CPU")
	}
	return slots, nil
}

// pair is a pod with its node.
type pair struct {
	pod  *corev1.Pod
	node string
}

// bindAll binds pods as they come.
func (s *scheduler) bindAll(ctx context.Context, nodes corelisters.NodeLister) {
	pairs := make(chan pair)
	s.binding.Go(func() {
		defer close(pairs)
		if err := s.pairUp(ctx, nodes, pairs); err != nil {
			klog.FromContext(ctx).Error(err, "No pod is bound any more")
		}
	})
	for range concurrency {
		s.binding.Go(func() {
			for p := range pairs {
				if err := s.bind(ctx, p.pod, p.node); err != nil && ctx.Err() == nil {
					klog.FromContext(ctx).Error(err, "A pod could not be bound", "pod", klog.KObj(p.pod))
				}
			}
		})
	}
}

// pairUp gives each pod a slot until the context ends. It looks at the nodes when the
// first pod comes: all that there will be are there by then.
func (s *scheduler) pairUp(ctx context.Context, nodes corelisters.NodeLister, pairs chan<- pair) error {
	var slots []string
	for i := 0; ; i++ {
		var p *corev1.Pod
		select {
		case p = <-s.pending:
		case <-ctx.Done():
			return nil
		}
		if slots == nil {
			var err error
			if slots, err = list(nodes); err != nil {
				return err
			}
		}
		select {
		case pairs <- pair{p, slots[i%len(slots)]}:
		case <-ctx.Done():
			return nil
		}
	}
}

func (s *scheduler) bind(ctx context.Context, p *corev1.Pod, node string) error {
	err := s.client.CoreV1().Pods(p.Namespace).Bind(ctx, &corev1.Binding{
		ObjectMeta: metav1.ObjectMeta{Namespace: p.Namespace, Name: p.Name, UID: p.UID},
		Target:     corev1.ObjectReference{Kind: "Node", Name: node},
	}, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("bind to %s: %w", node, err)
	}
	return nil
}
