package sparkactor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"

	"muster.sh/muster/internal/sparkconf"
)

// carryOut creates and deletes executors.
func (a *actor) carryOut(ctx context.Context, driver *corev1.Pod, p *played, executors []*corev1.Pod, d decision) error {
	pods := a.client.CoreV1().Pods(driver.Namespace)
	var errs []error
	for _, pod := range executors {
		if !slices.Contains(d.remove, executorID(pod)) || pod.DeletionTimestamp != nil {
			continue
		}
		if err := pods.Delete(ctx, pod.Name, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
			errs = append(errs, fmt.Errorf("delete executor: %w", err))
		}
	}
	for _, id := range d.create {
		if _, err := pods.Create(ctx, executorPod(driver, p.app.conf, p.prefix, id), metav1.CreateOptions{}); err != nil {
			p.app.uncreate(id)
			errs = append(errs, fmt.Errorf("create executor: %w", err))
		}
	}
	return errors.Join(errs...)
}

// finish ends an application as Spark does: it deletes what it made, and exits.
// Driver and ConfigMap stay until someone deletes the driver.
func (a *actor) finish(ctx context.Context, driver *corev1.Pod, p *played) error {
	if err := a.deleteServices(ctx, driver.Namespace, p.app.conf.appID); err != nil {
		return fmt.Errorf("delete service: %w", err)
	}
	executors := metav1.ListOptions{LabelSelector: labels.Set{
		sparkconf.LabelAppID: p.app.conf.appID,
		sparkconf.LabelRole:  sparkconf.RoleExecutor,
	}.String()}
	if err := a.client.CoreV1().Pods(driver.Namespace).DeleteCollection(ctx, metav1.DeleteOptions{}, executors); err != nil {
		return fmt.Errorf("delete executors: %w", err)
	}
	if err := a.end(ctx, driver, corev1.PodSucceeded); err != nil {
		return err
	}
	a.forget(driver)
	a.log.Info("simulated Spark driver is done", "driver", driver.Name)
	return nil
}

func (a *actor) deleteServices(ctx context.Context, namespace, appID string) error {
	services, err := a.client.CoreV1().Services(namespace).List(ctx, metav1.ListOptions{
		LabelSelector: labels.Set{sparkconf.LabelAppID: appID}.String(),
	})
	if err != nil {
		return err
	}
	for _, service := range services.Items {
		err := a.client.CoreV1().Services(namespace).Delete(ctx, service.Name, metav1.DeleteOptions{})
		if err != nil && !apierrors.IsNotFound(err) {
			return err
		}
	}
	return nil
}

// failOrphans ends running executors whose driver is gone: real ones exit when
// they lose the connection to it.
func (a *actor) failOrphans(ctx context.Context, executors []*corev1.Pod) error {
	var errs []error
	for _, pod := range executors {
		if pod.Status.Phase == corev1.PodRunning && pod.DeletionTimestamp == nil {
			errs = append(errs, a.end(ctx, pod, corev1.PodFailed))
		}
	}
	return errors.Join(errs...)
}

// end sets the status that a kubelet would report for a pod whose containers
// have ended. On a simulated node nobody else does.
func (a *actor) end(ctx context.Context, pod *corev1.Pod, phase corev1.PodPhase) error {
	status := endedStatus(pod, phase)
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"uid": pod.UID}, "status": status})
	if err != nil {
		return fmt.Errorf("encode status: %w", err)
	}
	_, err = a.client.CoreV1().Pods(pod.Namespace).Patch(ctx, pod.Name, types.StrategicMergePatchType, patch, metav1.PatchOptions{}, "status")
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("end pod %s: %w", pod.Name, err)
	}
	return nil
}

func endedStatus(pod *corev1.Pod, phase corev1.PodPhase) corev1.PodStatus {
	now := metav1.Now()
	reason, code, podReason := "Completed", int32(0), "PodCompleted"
	if phase == corev1.PodFailed {
		reason, code, podReason = "Error", 1, "PodFailed"
	}
	status := corev1.PodStatus{Phase: phase}
	for _, kind := range []corev1.PodConditionType{corev1.PodReady, corev1.ContainersReady} {
		status.Conditions = append(status.Conditions, corev1.PodCondition{
			Type: kind, Status: corev1.ConditionFalse, Reason: podReason, LastTransitionTime: now,
		})
	}
	for _, container := range pod.Status.ContainerStatuses {
		ended := corev1.ContainerStateTerminated{ExitCode: code, Reason: reason, FinishedAt: now}
		if container.State.Running != nil {
			ended.StartedAt = container.State.Running.StartedAt
		}
		container.State = corev1.ContainerState{Terminated: &ended}
		container.Ready = false
		status.ContainerStatuses = append(status.ContainerStatuses, container)
	}
	return status
}
