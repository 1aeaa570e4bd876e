package gangs

import (
	"context"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"muster.sh/muster/test/testcluster"
)

const guide = "../../docs/gangs.md"

// examples runs what the guide shows: three Jobs of two pods each, which nothing but
// the simulation's own annotation is added to.
func examples(ctx context.Context, t *testing.T, c *testcluster.Cluster) {
	const jobs, podsOfEach = 3, 2
	objects := testcluster.Examples(t, guide, "Job", "PodGroup")
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
