package testcluster

import (
	"strings"
	"testing"

	"muster.sh/muster/benchmarks/audit"
)

// Judge judges what happened by the API server's audit log, as if nothing would
// happen any more, and writes the verdict to the test's output. The gangs are those of Volcano PodGroups and of
// Spark applications; minExecutors says how many executors each of these needs.
func (c *Cluster) Judge(t *testing.T, minExecutors int) (*audit.Verdict, *audit.Timeline) {
	t.Helper()
	log, err := audit.Open(c.AuditLogPath())
	if err != nil {
		t.Fatal(err)
	}
	tl := log.Timeline()
	gangs, err := audit.VolcanoPodGroups(tl)
	if err != nil {
		t.Fatal(err)
	}
	gangs = append(gangs, audit.SparkApplications(tl, func(audit.SparkApp) int { return minExecutors })...)
	reservations, err := audit.Reservations(tl, nil)
	if err != nil {
		t.Fatal(err)
	}
	verdict := audit.Judge(log, tl, audit.Case{
		Gangs: gangs, Reservations: reservations,
		Options: audit.Options{Excused: c.outages},
	})
	var text strings.Builder
	if err := verdict.Render(&text); err != nil {
		t.Fatal(err)
	}
	t.Logf("the audit log says:\n%s", text.String())
	return verdict, tl
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
