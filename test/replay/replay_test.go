// Package replay tells that what a scheduler has recorded comes to the same decisions
// elsewhere, whenever it was killed.
package replay

import (
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"muster.sh/muster/test/testcluster"
)

const (
	members   = 4
	executors = 3
)

func TestWhatAKilledSchedulerHasRecordedGivesTheSameDecisions(t *testing.T) {
	file := filepath.Join(t.TempDir(), "events.jsonl")
	ctx, c := testcluster.Start(t, testcluster.Spec{
		Scheduler: testcluster.Muster, Nodes: 3, Shape: "cpu=5,memory=64Gi", Config: "record: {file: " + file + "}\n",
	})
	c.PlaySpark(ctx, t)
	large := testcluster.PodGroup{Name: "large", Members: members, CPUs: 5}
	if err := errors.Join(
		c.SubmitSpark(ctx, testcluster.SparkApp{Name: "app", Executors: executors, Works: time.Second}),
		c.CreatePodGroups(ctx, testcluster.PodGroup{Name: "small", Members: members, CPUs: 2, Runs: time.Second}, large),
		c.Await(ctx, testcluster.PodGroups, large.Name, "it says why it waits", testcluster.Says("larger than the whole cluster")),
	); err != nil {
		t.Fatal(err)
	}
	awaitEnd(ctx, t, c, "small", members)
	awaitEnd(ctx, t, c, "app", 1) // the driver, behind its executors
	if err := c.Outage(ctx, testcluster.MusterComponent); err != nil {
		t.Fatal(err)
	}
	killed := replay(ctx, t, c, file+".1", "--explain=default/large")
	for _, want := range []string{"was killed, or still runs", "ReservationStored", "OpenLatch", "Same decisions:  yes", "larger than the whole cluster"} {
		if !strings.Contains(killed, want) {
			t.Errorf("of the scheduler that was killed the replay lacks %q:\n%s", want, killed)
		}
	}

	// The next one begins with what exists.
	if err := c.CreatePodGroups(ctx, testcluster.PodGroup{Name: "later", Members: members, CPUs: 2, Runs: time.Second}); err != nil {
		t.Fatal(err)
	}
	awaitEnd(ctx, t, c, "later", members)
	if err := c.Stop(testcluster.MusterComponent); err != nil {
		t.Fatal(err)
	}
	stopped := replay(ctx, t, c, file)
	for _, want := range []string{"the scheduler was stopped", "1 OpenLatch", "Same decisions:  yes"} {
		if !strings.Contains(stopped, want) {
			t.Errorf("of the scheduler that was stopped the replay lacks %q:\n%s", want, stopped)
		}
	}
}

// awaitEnd waits until so many pods whose names begin so have ended well.
func awaitEnd(ctx context.Context, t *testing.T, c *testcluster.Cluster, prefix string, count int) {
	t.Helper()
	ended := func(p *corev1.Pod) bool { return strings.HasPrefix(p.Name, prefix) && testcluster.Succeeded(p) }
	err := c.Pods.Await(ctx, prefix+" has ended", func(pods []*corev1.Pod) bool { return testcluster.Count(pods, ended) == count })
	if err != nil {
		t.Fatal(err)
	}
}

// replay returns what the command of the scheduler that runs here tells of a record.
func replay(ctx context.Context, t *testing.T, c *testcluster.Cluster, file string, flags ...string) string {
	t.Helper()
	command, err := c.Command(testcluster.MusterComponent)
	if err != nil {
		t.Fatal(err)
	}
	program, name := command[0], command[1]
	out, err := exec.CommandContext(ctx, program, append([]string{name, "replay", file}, flags...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("replay %s: %v\n%s", file, err, out)
	}
	return string(out)
}
