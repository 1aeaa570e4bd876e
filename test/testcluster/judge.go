package testcluster

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"muster.sh/muster/api/v1alpha1"
	"muster.sh/muster/benchmarks/audit"
)

// Judge judges what happened by the API server's audit log, as if nothing would
// happen any more, and writes the verdict to the test's output. The gangs are
// those of Volcano PodGroups, of Spark applications, of which each needs
// minExecutors executors, and those that the story finds by itself.
func (c *Cluster) Judge(t *testing.T, minExecutors int) (*audit.Verdict, *audit.Timeline) {
	t.Helper()
	return c.JudgeEach(t, func(audit.SparkApp) int { return minExecutors })
}

// JudgeEach is Judge for applications of which each needs another number of
// executors.
func (c *Cluster) JudgeEach(t *testing.T, minExecutors func(audit.SparkApp) int) (*audit.Verdict, *audit.Timeline) {
	t.Helper()
	log, err := audit.Open(c.AuditLogPath())
	if err != nil {
		t.Fatal(err)
	}
	for _, span := range c.serverOutages {
		log.Outage(span)
	}
	c.reconcile(t, log)
	tl := log.Timeline()
	gangs, err := audit.VolcanoPodGroups(tl)
	if err != nil {
		t.Fatal(err)
	}
	gangs = append(gangs, audit.SparkApplications(tl, minExecutors)...)
	if c.Gangs != nil {
		gangs = append(gangs, c.Gangs(tl)...)
	}
	reservations, err := audit.Reservations(tl, c.roleShape)
	if err != nil {
		t.Fatal(err)
	}
	verdict := audit.Judge(log, tl, audit.Case{
		Gangs: gangs, Reservations: reservations,
		Options: audit.Options{Excused: c.excused},
	})
	var text strings.Builder
	if err := verdict.Render(&text); err != nil {
		t.Fatal(err)
	}
	t.Logf("the audit log says:\n%s", text.String())
	return verdict, tl
}

// roleShape is how much room a reservation holds for each member. All executors of
// a story are equal.
func (c *Cluster) roleShape(v1alpha1.ReservationSpec, string) corev1.ResourceList {
	return c.ExecutorShape
}

// reconcile completes the log by what there is now.
func (c *Cluster) reconcile(t *testing.T, log *audit.Log) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	pods, err := c.Client().CoreV1().Pods(metav1.NamespaceAll).List(ctx, metav1.ListOptions{})
	if err != nil {
		t.Fatalf("list pods: %v", err)
	}
	reservations, err := c.Reservations(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := log.Reconcile(time.Now(), pods.Items, reservations); err != nil {
		t.Fatal(err)
	}
}

// Reservations lists those that are stored now.
func (c *Cluster) Reservations(ctx context.Context) ([]v1alpha1.Reservation, error) {
	objects, err := c.Dynamic.Resource(v1alpha1.ReservationResource).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("list reservations: %w", err)
	}
	var list v1alpha1.ReservationList
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(objects.UnstructuredContent(), &list); err != nil {
		return nil, fmt.Errorf("read reservations: %w", err)
	}
	return list.Items, nil
}

// RequireNoFault fails the test if the audit log shows any fault, or doesn't tell
// enough to judge.
func (c *Cluster) RequireNoFault(t *testing.T, minExecutors int) *audit.Timeline {
	t.Helper()
	verdict, tl := c.Judge(t, minExecutors)
	if err := verdict.Err(); err != nil {
		t.Error(err)
	}
	return tl
}
