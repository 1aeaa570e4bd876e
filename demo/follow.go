package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
)

// errDeadlock says that no application can ever go on.
var errDeadlock = errors.New("the applications block each other for good")

// stall is how long nothing may move before a deadlock is called one. Spark's
// executors are there or refused within seconds.
const stall = 45 * time.Second

// watchPods sends every state of every pod in the namespace, until ctx ends.
func watchPods(ctx context.Context, client kubernetes.Interface) (<-chan *corev1.Pod, error) {
	pods := make(chan *corev1.Pod, 256)
	send := func(object any) {
		if pod, ok := object.(*corev1.Pod); ok {
			select {
			case pods <- pod:
			case <-ctx.Done():
			}
		}
	}
	factory := informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithNamespace(namespace))
	informer := factory.Core().V1().Pods().Informer()
	_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    send,
		UpdateFunc: func(_, object any) { send(object) },
		DeleteFunc: func(object any) {
			if last, ok := object.(cache.DeletedFinalStateUnknown); ok {
				object = last.Obj
			}
			if pod, ok := object.(*corev1.Pod); ok {
				send(deleted(pod))
			}
		},
	})
	if err != nil {
		return nil, fmt.Errorf("watch pods: %w", err)
	}
	factory.Start(ctx.Done())
	if !cache.WaitForCacheSync(ctx.Done(), informer.HasSynced) {
		return nil, fmt.Errorf("watch pods: %w", context.Cause(ctx))
	}
	return pods, nil
}

// deleted is the last state of a pod that is gone. One that had not ended never
// will.
func deleted(pod *corev1.Pod) *corev1.Pod {
	if pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed {
		return pod
	}
	pod = pod.DeepCopy()
	pod.Status.Phase, pod.Status.Reason = corev1.PodFailed, "its pod was deleted"
	return pod
}

// follow keeps the board up to date and tells of every change, until all
// applications have ended, one could not be submitted, ctx ends, or none can go on.
func (c *console) follow(ctx context.Context, b *board, pods <-chan *corev1.Pod, failed <-chan error) error {
	show, remove := c.state()
	defer remove()
	told := map[*run]string{}
	var deadlock <-chan time.Time
	for !b.ended() {
		select {
		case pod := <-pods:
			r := b.see(pod)
			if r == nil {
				continue
			}
			if now := r.String(); now != told[r] {
				told[r] = now
				c.say("%-16s %s", r.name, now)
			}
			show(b.summary())
			if !b.deadlocked() {
				deadlock = nil
			} else if deadlock == nil {
				deadlock = time.After(stall)
			}
		case <-deadlock:
			return errDeadlock
		case err := <-failed:
			return err
		case <-ctx.Done():
			return fmt.Errorf("waited for the applications: %w", context.Cause(ctx))
		}
	}
	return nil
}

// ended tells whether all applications have come to their end.
func (b *board) ended() bool {
	return !slices.ContainsFunc(b.runs, func(r *run) bool { return !r.ended() })
}

// deadlocked tells whether all applications that have not ended hold room that is
// of no use to them, or have none, so that nothing will ever move.
func (b *board) deadlocked() bool {
	starving := 0
	for _, r := range b.runs {
		switch {
		case r.ended(), r.id != "" && r.waiting():
		case r.starving():
			starving++
		default:
			return false
		}
	}
	return starving > 0
}

// summary is the state of all applications in a few words.
func (b *board) summary() string {
	var waiting, running, ended int
	for _, r := range b.runs {
		switch {
		case r.ended():
			ended++
		case r.waiting():
			waiting++
		default:
			running++
		}
	}
	return fmt.Sprintf("%d waiting, %d running, %d ended", waiting, running, ended)
}
