package audit

import (
	"encoding/json"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
)

// Observe adds a watch event, received at the given time, for clusters whose
// audit log can't be had. Pods and nodes are understood, all else is ignored.
// Each watch tells its events in their true order, so a time of receipt is taken
// for the time of the change; between two watches it can be off by as much as one
// of them lags. Writes can't be counted this way.
func (l *Log) Observe(at time.Time, event watch.Event) error {
	moment := Moment{After: at, By: at}
	switch object := event.Object.(type) {
	case *corev1.Pod:
		pod, err := observedPod(object)
		if err != nil {
			return err
		}
		l.sawTime(at)
		l.sawPod(pod, moment)
		if event.Type == watch.Deleted {
			record := l.pods[pod.UID]
			record.Deleting = earliest(record.Deleting, moment)
			record.Gone = earliest(record.Gone, moment)
		}
	case *corev1.Node:
		l.sawTime(at)
		if event.Type == watch.Deleted {
			record := l.node(object.Name)
			record.deleted = append(record.deleted, moment)
			return nil
		}
		node := nodeObject{ObjectMeta: metav1.ObjectMeta{Name: object.Name, ResourceVersion: object.ResourceVersion}}
		node.Status.Allocatable, node.Status.Conditions = object.Status.Allocatable, object.Status.Conditions
		l.sawNode(&node, moment)
	}
	return nil
}

func observedPod(object *corev1.Pod) (*podObject, error) {
	spec, err := json.Marshal(object.Spec)
	if err != nil {
		return nil, fmt.Errorf("observe pod %s/%s: %w", object.Namespace, object.Name, err)
	}
	pod := &podObject{ObjectMeta: object.ObjectMeta, Spec: spec, nodeName: object.Spec.NodeName}
	pod.Status.Phase = object.Status.Phase
	return pod, nil
}
