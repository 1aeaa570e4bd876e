package operator

import (
	"testing"
	"time"
)

// TestASmallRun has Muster run few applications on a real control plane.
func TestASmallRun(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a cluster: not with -short")
	}
	f, err := Run{Operator: muster(), Applications: 20, Live: 5, Timeout: 2 * time.Minute, Progress: t.Output()}.Do(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if f.Accepted <= 0 || f.Submitted <= 0 || f.Ended < f.Submitted || f.CPU < f.SubmitCPU || f.CPU <= 0 || f.Anonymous <= 0 || f.Resident < f.Anonymous {
		t.Errorf("it came to %+v", f)
	}
	// At least the two states before it runs, the driver, its settings and two services.
	if f.Writes < 6 || f.Events < 1 || f.LagP99 < f.LagP50 {
		t.Errorf("it came to %+v", f)
	}
	if len(f.Unowned) > 0 || len(f.Left) > 0 {
		t.Errorf("without an owner: %v; left: %v", f.Unowned, f.Left)
	}
}
