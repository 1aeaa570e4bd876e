package controlplane

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	manageroptions "k8s.io/kubernetes/cmd/kube-controller-manager/app/options"
)

// task is a component that runs in a goroutine of its own.
type task struct {
	cancel context.CancelFunc
	done   chan struct{}
	err    error
}

// start runs a component. It does not end with ctx but by stop, so that the
// components can be stopped one after the other.
func start(ctx context.Context, run func(context.Context) error) *task {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	t := &task{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(t.done)
		t.err = run(ctx)
	}()
	return t
}

// stop ends the component, waits for its end and returns its error.
func (t *task) stop() error {
	t.cancel()
	<-t.done
	return t.err
}

// awaitAPIServer waits until the API server is ready: the controller manager
// gives up when it does not find it within ten seconds.
func awaitAPIServer(ctx context.Context, options *manageroptions.KubeControllerManagerOptions, api *task) error {
	config, err := clientcmd.BuildConfigFromFlags("", options.Generic.ClientConnection.Kubeconfig)
	if err != nil {
		return fmt.Errorf("load the controller manager's kubeconfig: %w", err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for {
		var status int
		client.Discovery().RESTClient().Get().AbsPath("/readyz").Do(ctx).StatusCode(&status)
		if status == http.StatusOK {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-api.done:
			return fmt.Errorf("the API server ended before it was ready")
		case <-ticker.C:
		}
	}
}
