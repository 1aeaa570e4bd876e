package loop

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"testing"
	"time"

	"muster.sh/muster/benchmarks/scenario"
)

func TestASmallLoop(t *testing.T) {
	order, err := json.Marshal(Order{
		Scenario: scenario.Scenario{Name: "test", Mode: scenario.Loop, Gangs: 10, Size: 5, Nodes: 20, Held: 50},
		Timeout:  time.Minute, Profile: filepath.Join(t.TempDir(), "profile"),
	})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := Run(t.Context(), bytes.NewReader(order), &out); err != nil {
		t.Fatal(err)
	}
	var f Figures
	if err := json.Unmarshal(out.Bytes(), &f); err != nil {
		t.Fatal(err)
	}
	if f.Failed != "" || len(f.Faults) > 0 || len(f.Binds) != 50 {
		t.Errorf("%d bound, failed %q, faults %q", len(f.Binds), f.Failed, f.Faults)
	}
	if f.ProcessCPU <= 0 || f.LoopCPU > f.ProcessCPU || f.Start <= 0 || f.PeakMemory <= 0 {
		t.Errorf("it has cost %s, of which the loop %s, after %s; %d bytes", f.ProcessCPU, f.LoopCPU, f.Start, f.PeakMemory)
	}
	if f.Patches < 10 {
		t.Errorf("%d writes of a status for 10 gangs", f.Patches)
	}
}
