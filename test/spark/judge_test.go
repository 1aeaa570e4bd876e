package spark

import (
	"testing"

	"muster.sh/muster/benchmarks/audit"
)

// judge requires that the audit log shows no fault in all stories together: no
// application that held room below its minimum, no node with more than it can
// carry, and no pod on room that was promised to another.
func (s *stage) judge(t *testing.T) {
	t.Helper()
	judged := map[string]bool{}
	verdict, _ := s.JudgeEach(t, func(app audit.SparkApp) int {
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
	if err := verdict.Err(); err != nil {
		t.Error(err)
	}
}

// nameOf is the name that an application was submitted by.
func nameOf(app audit.SparkApp) string {
	if app.Driver != nil {
		return app.Driver.Labels[appNameLabel]
	}
	return app.Executors[0].Labels[appNameLabel]
}
