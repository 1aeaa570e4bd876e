package testcluster

import (
	"context"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/utils/ptr"
)

// AwaitPlaced waits until so many members of a PodGroup have a node, and counts them by
// node.
func (c *Cluster) AwaitPlaced(ctx context.Context, group string, members int) (map[string]int, error) {
	of := func(p *corev1.Pod) bool { return MemberOf(p, group) && Bound(p) }
	err := c.Pods.Await(ctx, fmt.Sprintf("the members of %s have nodes", group), func(pods []*corev1.Pod) bool {
		return Count(pods, of) == members
	})
	if err != nil {
		return nil, err
	}
	on := map[string]int{}
	for _, p := range c.Pods.List(of) {
		on[p.Spec.NodeName]++
	}
	return on, nil
}

// Clear deletes all PodGroups and pods, and with the former the room that would wait
// for members to be replaced.
func (c *Cluster) Clear(ctx context.Context) error {
	now := metav1.DeleteOptions{GracePeriodSeconds: ptr.To[int64](0)}
	if err := c.Dynamic.Resource(PodGroups).Namespace(Namespace).DeleteCollection(ctx, now, metav1.ListOptions{}); err != nil {
		return fmt.Errorf("delete PodGroups: %w", err)
	}
	if err := c.Client().CoreV1().Pods(Namespace).DeleteCollection(ctx, now, metav1.ListOptions{}); err != nil {
		return fmt.Errorf("delete pods: %w", err)
	}
	return c.Pods.Await(ctx, "the pods are gone", func(pods []*corev1.Pod) bool { return len(pods) == 0 })
}

// Says tells that a condition of an object has all parts of a text.
func Says(parts ...string) func(*unstructured.Unstructured) bool {
	return func(u *unstructured.Unstructured) bool {
		conditions, _, _ := unstructured.NestedSlice(u.Object, "status", "conditions")
		for _, item := range conditions {
			if c, ok := item.(map[string]any); ok && contains(fmt.Sprint(c["message"]), parts) {
				return true
			}
		}
		return false
	}
}

// contains says whether a text has all parts.
func contains(text string, parts []string) bool {
	for _, part := range parts {
		if !strings.Contains(text, part) {
			return false
		}
	}
	return true
}
