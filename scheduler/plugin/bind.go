package plugin

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/klog/v2"
	fwk "k8s.io/kube-scheduler/framework"
)

// Bind waits for the pod's gang at the latch and then binds it. Everything else
// that could refuse the pod, PreBind included, has passed by now.
func (p *Plugin) Bind(ctx context.Context, state fwk.CycleState, pod *v1.Pod, node string) *fwk.Status {
	c, err := cycleOf(state)
	if err != nil {
		return fwk.AsStatus(err)
	}
	if c.place == nil {
		return p.binder.Bind(ctx, state, pod, node)
	}
	first, err := p.Latch.Wait(ctx, idOf(pod), c.place.Gang, c.place.Epoch, node)
	if err != nil {
		return fwk.AsStatus(err)
	}
	meant := func() bool {
		now, ok := p.Board.Placement(idOf(pod))
		return ok && now.Epoch == c.place.Epoch && (now.Node == node || c.place.Roams)
	}
	switch err := bind(ctx, p.handle.ClientSet(), first, pod, node, meant, patience); {
	case errors.Is(err, errTakenBack):
		return fwk.AsStatus(turnedBack(err.Error()))
	case err != nil:
		return fwk.AsStatus(&Refusal{Node: node, BindFailed: true, Reason: "bind: " + err.Error(), Cause: err})
	}
	return nil
}

var errTakenBack = errors.New("the placement was taken back")

// patience is how long a bind is tried again while the API server can't be
// reached, or is overloaded: about half a minute, the restart of one. After
// that the machine is told, and places the member anew.
var patience = wait.Backoff{Duration: 50 * time.Millisecond, Factor: 1.5, Jitter: 0.1, Steps: 14}

// attemptTimeout bounds one request, so that a server that hangs is not waited
// for.
const attemptTimeout = 15 * time.Second

// bind sends a pod to its node, when it is its turn. An answer may have been lost on
// the way, so a pod that is on the node already is a success. While the API server
// is away the pod may be given another place, so meant is asked before every
// attempt. An attempt after the first has to queue again.
func bind(ctx context.Context, client kubernetes.Interface, next *turn, pod *v1.Pod, node string, meant func() bool, patience wait.Backoff) error {
	defer func() { next.done() }()
	var last error
	err := wait.ExponentialBackoffWithContext(ctx, patience, func(ctx context.Context) (bool, error) {
		if err := next.wait(ctx); err != nil {
			return false, err
		}
		last = attempt(ctx, client, pod, node, meant)
		next.done()
		if last == nil {
			return true, nil
		}
		if !transient(last) {
			return false, last
		}
		klog.FromContext(ctx).V(2).Info("Bind failed and is tried again", "pod", klog.KObj(pod), "node", node, "err", last)
		next = next.of.join()
		return false, nil
	})
	if wait.Interrupted(err) && last != nil {
		return last
	}
	return err
}

// attempt binds a pod, or, where that is not meant any more, looks whether an
// earlier attempt has.
func attempt(ctx context.Context, client kubernetes.Interface, pod *v1.Pod, node string, meant func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	if meant() {
		return bindOnce(ctx, client, pod, node)
	}
	err := onNode(ctx, client, pod, node)
	if err != nil && !transient(err) {
		return errTakenBack
	}
	return err
}

func bindOnce(ctx context.Context, client kubernetes.Interface, pod *v1.Pod, node string) error {
	err := client.CoreV1().Pods(pod.Namespace).Bind(ctx, &v1.Binding{
		ObjectMeta: metav1.ObjectMeta{Namespace: pod.Namespace, Name: pod.Name, UID: pod.UID},
		Target:     v1.ObjectReference{Kind: "Node", Name: node},
	}, metav1.CreateOptions{})
	if !apierrors.IsConflict(err) {
		return err
	}
	switch unseen := onNode(ctx, client, pod, node); {
	case unseen == nil:
		return nil
	case transient(unseen):
		return unseen
	}
	return err
}

// onNode returns nil if the pod is bound to the node.
func onNode(ctx context.Context, client kubernetes.Interface, pod *v1.Pod, node string) error {
	now, err := client.CoreV1().Pods(pod.Namespace).Get(ctx, pod.Name, metav1.GetOptions{})
	switch {
	case err != nil:
		return fmt.Errorf("see where the pod is: %w", err)
	case now.UID != pod.UID || now.Spec.NodeName != node:
		return fmt.Errorf("pod %s is not bound to node %s", pod.Name, node)
	}
	return nil
}

// transient says whether the same request may succeed a little later. That a
// pod or its namespace is gone, or that it is bound elsewhere, is final.
func transient(err error) bool {
	var netErr net.Error
	return apierrors.IsInternalError(err) || apierrors.IsServiceUnavailable(err) || apierrors.IsTimeout(err) ||
		apierrors.IsServerTimeout(err) || apierrors.IsTooManyRequests(err) ||
		utilnet.IsConnectionRefused(err) || utilnet.IsConnectionReset(err) || utilnet.IsProbableEOF(err) ||
		utilnet.IsHTTP2ConnectionLost(err) || errors.Is(err, context.DeadlineExceeded) || errors.As(err, &netErr)
}
