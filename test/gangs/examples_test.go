package gangs

import (
	"context"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"muster.sh/muster/test/testcluster"
)

const guide = "../../docs/gangs.md"

// examplesOfTheGuide are its objects of which the cluster knows the kind.
func examplesOfTheGuide(t *testing.T) []*unstructured.Unstructured {
	t.Helper()
	return slices.DeleteFunc(testcluster.Examples(t, guide, "Job", "PodGroup"), func(u *unstructured.Unstructured) bool {
		return ofOwnGroup(u) && !hasOwnGroups()
	})
}

// ofOwnGroup tells whether an object is a PodGroup of Kubernetes' own, or has pods in one.
func ofOwnGroup(u *unstructured.Unstructured) bool {
	_, inOne, _ := unstructured.NestedMap(u.Object, "spec", "template", "spec", "schedulingGroup")
	return inOne || u.GetAPIVersion() == kubernetes.GroupVersion().String()
}

// examples runs what the guide shows: three Jobs of two pods each, which nothing but
// the simulation's own annotation is added to. One is of a PodGroup of Kubernetes' own.
func examples(ctx context.Context, t *testing.T, c *testcluster.Cluster) {
	const podsOfEach = 2
	jobs := 3
	if !hasOwnGroups() {
		jobs--
	}
	objects := examplesOfTheGuide(t)
	found := 0
	for _, u := range objects {
		if u.GetKind() != "Job" {
			continue
		}
		found++
		for key, value := range c.Pod("", 1, runs).Annotations {
			if err := unstructured.SetNestedField(u.Object, value, "spec", "template", "metadata", "annotations", key); err != nil {
				t.Fatal(err)
			}
		}
	}
	if found != jobs {
		t.Fatalf("the guide shows %d Jobs, not %d", found, jobs)
	}
	if err := c.Apply(ctx, objects...); err != nil {
		t.Fatal(err)
	}
	err := c.Pods.Await(ctx, "the pods of the examples have ended", func(pods []*corev1.Pod) bool {
		return testcluster.Count(pods, func(p *corev1.Pod) bool {
			return strings.HasPrefix(p.Name, "train-") && testcluster.Ended(p)
		}) == jobs*podsOfEach
	})
	if err != nil {
		t.Error(err)
	}
}
