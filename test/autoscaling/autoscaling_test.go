// Package autoscaling tells that cluster autoscalers see gangs that lack room, with
// the members that have no pod yet, and see no more of them once they start.
package autoscaling

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"muster.sh/muster/internal/localcluster"
	"muster.sh/muster/test/testcluster"
)

//go:embed provisioningrequest-crd.yaml
var provisioningRequestDefinition []byte

var provisioningRequests = schema.GroupVersionResource{Group: "autoscaling.x-k8s.io", Version: "v1", Resource: "provisioningrequests"}

const (
	executors = 5
	members   = 3
	shape     = "cpu=4,memory=64Gi"
)

func TestGangsAreAskedForUntilTheyStart(t *testing.T) {
	ctx, c := testcluster.Start(t, testcluster.Spec{
		Scheduler: testcluster.Muster, Nodes: 1, Shape: shape, Manifest: provisioningRequestDefinition,
		Config: "autoscaling: {request: ProvisioningRequest, after: 1s}\n",
	})
	s := story{c, ctx, t}
	c.PlaySpark(ctx, t)
	s.must(c.SubmitSpark(ctx, testcluster.SparkApp{Name: "app", Executors: executors, Works: time.Second}))
	s.must(c.CreatePodGroups(ctx, testcluster.PodGroup{Name: "group", Members: members, CPUs: 2, Runs: time.Second}))
	s.awaitAsked("a driver with its executors, and a group", "1 of cpu=1, 5 of cpu=1", "3 of cpu=2")
	s.must(c.Pods.Await(ctx, "the driver is told why it waits", func(pods []*corev1.Pod) bool {
		return testcluster.Count(pods, testcluster.And(testcluster.IsDriver, waitsFor("GangTooBig"))) == 1
	}))
	if n := testcluster.Count(c.Pods.List(nil), waitsFor(corev1.PodReasonUnschedulable)); n > 0 {
		t.Errorf("%d pods are asked for twice", n)
	}

	// Another leader asks for the same, and takes back what is not lacking any more.
	before := s.requests()
	s.must(c.Outage(ctx, testcluster.MusterComponent))
	s.must(c.Apply(ctx, s.example()))
	s.awaitAsked("the guide's Job too", "1 of cpu=1, 5 of cpu=1", "2 of cpu=3", "3 of cpu=2")
	for _, r := range before {
		if !slices.ContainsFunc(s.requests(), func(now unstructured.Unstructured) bool { return now.GetUID() == r.GetUID() }) {
			t.Errorf("request %s was made anew", r.GetName())
		}
	}
	s.must(c.Kill(testcluster.MusterComponent))
	began := time.Now()
	one, err := localcluster.ParseShape(shape)
	s.must(err)
	s.must(c.AddSimNodes(ctx, 5, one))
	s.must(c.Start(ctx, testcluster.MusterComponent))
	c.Excuse(began)
	s.must(c.Pods.Await(ctx, "all have run", func(pods []*corev1.Pod) bool {
		ended := testcluster.Count(pods, func(p *corev1.Pod) bool { return !testcluster.IsExecutor(p) && testcluster.Ended(p) })
		return ended == 1+members+2
	}))
	s.awaitAsked("nothing")
	templates, err := c.Client().CoreV1().PodTemplates(testcluster.Namespace).List(ctx, metav1.ListOptions{})
	s.must(err)
	if len(templates.Items) > 0 {
		t.Errorf("%d PodTemplates are left", len(templates.Items))
	}
	c.RequireNoFault(t, executors)
}

type story struct {
	*testcluster.Cluster
	ctx context.Context
	t   *testing.T
}

func (s story) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s story) requests() []unstructured.Unstructured {
	s.t.Helper()
	list, err := s.Dynamic.Resource(provisioningRequests).Namespace(testcluster.Namespace).List(s.ctx, metav1.ListOptions{})
	s.must(err)
	return list.Items
}

// example is the guide's Job, whose pods end by themselves in a simulation.
func (s story) example() *unstructured.Unstructured {
	s.t.Helper()
	text, err := os.ReadFile("../../docs/autoscaling.md")
	s.must(err)
	for block := range strings.SplitSeq(string(text), "```") {
		job := &unstructured.Unstructured{}
		if manifest, is := strings.CutPrefix(block, "yaml\napiVersion: batch/v1\n"); is {
			s.must(yaml.Unmarshal([]byte("apiVersion: batch/v1\n"+manifest), &job.Object))
			s.must(unstructured.SetNestedField(job.Object, "1s", "spec", "template", "metadata", "annotations", localcluster.DurationAnnotation))
			return job
		}
	}
	s.t.Fatal("the guide shows no Job")
	return nil
}

// awaitAsked waits until requests ask for exactly that: each for numbers of members
// that need some CPUs.
func (s story) awaitAsked(what string, want ...string) {
	s.t.Helper()
	var got []string
	err := s.AwaitAll(s.ctx, provisioningRequests, "they ask for "+what, func(requests []unstructured.Unstructured) bool {
		got = s.asked(requests)
		return slices.Equal(got, want)
	})
	if err != nil {
		s.t.Fatalf("%v; they ask for %q", err, got)
	}
}

func (s story) asked(requests []unstructured.Unstructured) []string {
	s.t.Helper()
	var out []string
	for _, r := range requests {
		sets, _, _ := unstructured.NestedSlice(r.Object, "spec", "podSets")
		var parts []string
		for _, item := range sets {
			set := item.(map[string]any)
			name, _, _ := unstructured.NestedString(set, "podTemplateRef", "name")
			parts = append(parts, fmt.Sprintf("%v of cpu=%s", set["count"], s.cpuOf(name)))
		}
		slices.Sort(parts)
		out = append(out, strings.Join(parts, ", "))
	}
	slices.Sort(out)
	return out
}

func (s story) cpuOf(template string) string {
	s.t.Helper()
	t, err := s.Client().CoreV1().PodTemplates(testcluster.Namespace).Get(s.ctx, template, metav1.GetOptions{})
	if err != nil {
		return "?"
	}
	return t.Template.Spec.Containers[0].Resources.Requests.Cpu().String()
}

// waitsFor selects pods that are not scheduled for a reason.
func waitsFor(reason string) func(*corev1.Pod) bool {
	return func(p *corev1.Pod) bool {
		return slices.ContainsFunc(p.Status.Conditions, func(c corev1.PodCondition) bool {
			return c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse && c.Reason == reason
		})
	}
}
