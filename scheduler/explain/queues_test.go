package explain_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/core/coretest"
	"muster.sh/muster/scheduler/explain"
	"muster.sh/muster/scheduler/gang/gangtest"
	"muster.sh/muster/scheduler/queue"
	"muster.sh/muster/scheduler/resource"
)

func TestQueuesAreShownAsATree(t *testing.T) {
	w := coretest.New()
	w.Node("n0", 8, 64)
	w.SetQueue(queue.Spec{Name: "research", Capability: queue.LimitsOf(map[string]int64{resource.CPU: 6000})})
	w.SetQueue(queue.Spec{Name: "nlp", Parent: "research", Guarantee: resource.Vector{MilliCPU: 2000}})
	w.SetQueue(queue.Spec{Name: "lost", Parent: "nowhere"})
	w.Send(core.Synced{})
	for _, name := range []string{"first", "second"} {
		g := gangtest.Group(name, 4)
		g.Queue = "nlp"
		w.Declare(g)
		for i := range 4 {
			w.Pod(g.ID, "", name+string(rune('0'+i)), gangtest.Shape(1, 1))
		}
	}
	h := explain.Handler(direct{w.Machine}, func() time.Time { return w.Now })

	text := get(t, h, "/queues", "").Body.String()
	for _, want := range []string{
		"QUEUE     SHARE  WAITING  USED              BORROWED  ENTITLED           GUARANTEED  CAPABILITY  STATE",
		"default   0.00   0        -                 -         cpu=4 memory=32Gi  -           -           open",
		"lost      0.00   0        -                 -         -                  -           -           refused: spec.parent nowhere does not exist; create it, or name another",
		"research  1.00   0        cpu=4 memory=4Gi  -         cpu=4 memory=32Gi  -           cpu=6       open",
		"  nlp     1.00   1        cpu=4 memory=4Gi  -         cpu=4 memory=32Gi  cpu=2       -           open",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	if r := get(t, h, "/gangs/podgroup/default/second", "").Body.String(); !strings.Contains(r, "Queue:") ||
		!strings.Contains(r, "no quota left: queue research may have 6 of cpu, of which 4 is in use, and the gang asks for 4") {
		t.Error(r)
	}

	var records []core.QueueRecord
	if err := json.Unmarshal(get(t, h, "/queues", "application/json").Body.Bytes(), &records); err != nil || len(records) != 4 {
		t.Errorf("%v %v", records, err)
	}
}
