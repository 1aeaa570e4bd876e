package spark

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"muster.sh/muster/api/v1alpha1"
	"muster.sh/muster/benchmarks/audit"
)

// judge requires that the audit log shows no fault in all stories together: no
// application that held room below its minimum, no node with more than it can
// carry, and no pod on room that was promised to another.
func (s *stage) judge(t *testing.T) {
	t.Helper()
	log, err := audit.Open(s.AuditLogPath())
	if err != nil {
		t.Fatal(err)
	}
	timeline := log.Timeline()
	judged := map[string]bool{}
	gangs := audit.SparkApplications(timeline, func(app audit.SparkApp) int {
		name := nameOf(app)
		least, known := s.minimum[name]
		if !known {
			t.Errorf("the audit log has an application %q that nobody submitted", name)
			return -1
		}
		judged[name] = true
		return least
	})
	for name := range s.minimum {
		if !judged[name] {
			t.Errorf("the audit log has no application %s", name)
		}
	}
	reservations, err := audit.Reservations(timeline, s.roleShape)
	if err != nil {
		t.Fatal(err)
	}
	verdict := audit.Judge(log, timeline, audit.Case{
		Gangs: gangs, Reservations: reservations, Options: audit.Options{Excused: s.outages},
	})
	var text strings.Builder
	if err := verdict.Render(&text); err != nil {
		t.Fatal(err)
	}
	t.Logf("the audit log says:\n%s", text.String())
	if err := verdict.Err(); err != nil {
		t.Error(err)
	}
}

// roleShape is what every pod asks for, whatever its role.
func (s *stage) roleShape(v1alpha1.ReservationSpec, string) corev1.ResourceList {
	return corev1.ResourceList{corev1.ResourceCPU: s.share, corev1.ResourceMemory: resource.MustParse(podMemory)}
}

// nameOf is the name that an application was submitted by.
func nameOf(app audit.SparkApp) string {
	if app.Driver != nil {
		return app.Driver.Labels[appNameLabel]
	}
	return app.Executors[0].Labels[appNameLabel]
}
