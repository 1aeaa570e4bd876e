package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	sparkv1beta2 "github.com/kubeflow/spark-operator/v2/api/v1beta2"
	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/transport/spdy"
	"k8s.io/streaming/pkg/httpstream"
)

func newUI(c *caller) *cobra.Command {
	port := uint16(0)
	cmd := &cobra.Command{
		Use: "ui NAME", Short: "Forward a port of 127.0.0.1 to the UI of a Spark driver", Args: cobra.ExactArgs(1),
		Example: "  muster ui pi\n  muster ui pi --port 4040",
		RunE:    func(cmd *cobra.Command, args []string) error { return c.showUI(cmd, args[0], port) },
	}
	cmd.Flags().Uint16Var(&port, "port", 0, "the port of 127.0.0.1; 0 is any that is free")
	return cmd
}

// showUI forwards until it is interrupted, or the driver ends.
func (c *caller) showUI(cmd *cobra.Command, name string, port uint16) error {
	on, j, pods, err := c.open(cmd.Context(), name)
	if err != nil {
		return err
	}
	_, config, err := c.names()
	if err != nil {
		return err
	}
	driver, its, err := j.ui(pods)
	if err != nil {
		return err
	}
	to := on.pods.CoreV1().RESTClient().Post().Resource("pods").Namespace(driver.Namespace).Name(driver.Name).SubResource("portforward").URL()
	f := forwarding{config: config, to: to, local: port, remote: its, complaints: cmd.ErrOrStderr()}
	ctx, end := context.WithCancelCause(cmd.Context())
	defer end(nil)
	go func() {
		if on.awaitEnd(ctx, driver) == nil {
			end(errEnded)
		}
	}()
	err = f.run(ctx, func(at string) {
		fmt.Fprintf(cmd.OutOrStdout(), "%s is at %s until this command ends\n", j.name(), at)
	})
	switch {
	case errors.Is(context.Cause(ctx), errEnded):
		fmt.Fprintf(cmd.OutOrStdout(), "the driver of %s has ended\n", j.name())
	case err != nil:
		return fmt.Errorf("forward a port to pod %s: %w", driver.Name, err)
	}
	return nil
}

var errEnded = errors.New("the driver has ended")

// awaitEnd waits until a pod has ended or is gone: a kubelet goes on forwarding to one that
// has ended. It is an error that the caller may not watch pods, or has waited long enough.
func (c *cluster) awaitEnd(ctx context.Context, pod *corev1.Pod) error {
	pods := c.pods.CoreV1().Pods(pod.Namespace)
	for {
		now, err := pods.Get(ctx, pod.Name, metav1.GetOptions{})
		switch {
		case apierrors.IsNotFound(err):
			return nil
		case err != nil:
			return err
		case now.UID != pod.UID, now.Status.Phase == corev1.PodSucceeded, now.Status.Phase == corev1.PodFailed:
			return nil
		}
		changes, err := pods.Watch(ctx, metav1.ListOptions{
			FieldSelector: fields.OneTermEqualSelector("metadata.name", pod.Name).String(), ResourceVersion: now.ResourceVersion,
		})
		if err != nil {
			return err
		}
		<-changes.ResultChan() // A change, or the end of the watch: both are reasons to look again.
		changes.Stop()
	}
}

// uiPort is the name of the port of its UI in a driver's pod.
const uiPort = "spark-ui"

// ui returns the pod that serves a job's UI, and the port on which it does.
func (j *job) ui(pods []corev1.Pod) (*corev1.Pod, int32, error) {
	if j.kind != spark {
		return nil, 0, fmt.Errorf("%s has no UI; %ss have one", j.name(), spark.api)
	}
	driver, err := j.logged(pods, "driver")
	if err != nil {
		return nil, 0, err
	}
	// The phase of a pod comes some time after the end of its container.
	switch phase, history := driver.Status.Phase, j.history(); {
	case history != "":
		return nil, 0, fmt.Errorf("%s is %s; what it did is told at %s", j.name(), j.state, history)
	case phase != corev1.PodRunning:
		return nil, 0, fmt.Errorf("%s has a UI while its driver runs: pod %s is %s", j.name(), driver.Name, phase)
	case j.ended:
		return nil, 0, fmt.Errorf("%s has a UI while its driver runs: it is %s", j.name(), j.state)
	}
	for _, container := range driver.Spec.Containers {
		for _, port := range container.Ports {
			if port.Name == uiPort {
				return driver, port.ContainerPort, nil
			}
		}
	}
	return nil, 0, fmt.Errorf("pod %s has no port named %s", driver.Name, uiPort)
}

// history is where a history server tells of a job that has ended, if one does.
func (j *job) history() string {
	app, ok := j.object.(*sparkv1beta2.SparkApplication)
	if !ok || !j.ended || !strings.Contains(app.Status.DriverInfo.WebUIAddress, "://") {
		return ""
	}
	return app.Status.DriverInfo.WebUIAddress
}

// forwarding is of a port of 127.0.0.1 to one of a pod.
type forwarding struct {
	config *rest.Config
	to     *url.URL // the pod's subresource portforward
	// local is the port here, or 0 for any that is free.
	local      uint16
	remote     int32
	complaints io.Writer
}

// run forwards until the context ends, which is no error, or the pod does. When it
// listens it tells at which URL.
func (f *forwarding) run(ctx context.Context, listens func(at string)) error {
	dialer, err := f.dialer()
	if err != nil {
		return err
	}
	ready := make(chan struct{})
	forwarder, err := portforward.NewOnAddressesForStreamingWithContext(ctx, dialer, []string{"127.0.0.1"},
		[]string{fmt.Sprintf("%d:%d", f.local, f.remote)}, ready, io.Discard, f.complaints)
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- forwarder.ForwardPorts() }()
	select {
	case err := <-ended:
		return err
	case <-ready:
	}
	ports, err := forwarder.GetPorts()
	if err != nil {
		return err
	}
	listens(fmt.Sprintf("http://127.0.0.1:%d", ports[0].Local))
	return <-ended
}

// dialer asks for a WebSocket, as kubectl does, and then for SPDY, which proxies between
// may know alone.
func (f *forwarding) dialer() (httpstream.Dialer, error) {
	socket, err := portforward.NewSPDYOverWebsocketDialerForStreaming(f.to, f.config)
	if err != nil {
		return nil, err
	}
	transport, upgrader, err := spdy.RoundTripperFor(f.config)
	if err != nil {
		return nil, err
	}
	older := spdy.NewDialerForStreaming(upgrader, &http.Client{Transport: transport}, http.MethodPost, f.to)
	return portforward.NewFallbackDialerForStreaming(socket, older, func(err error) bool {
		return httpstream.IsUpgradeFailure(err) || httpstream.IsHTTPSProxyError(err)
	}), nil
}
