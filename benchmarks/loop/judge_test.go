package loop

import (
	"slices"
	"strings"
	"testing"

	"muster.sh/muster/benchmarks/memory"
	"muster.sh/muster/benchmarks/scenario"
)

func TestWhatIsBoundWronglyIsAFault(t *testing.T) {
	o, err := newObjects(scenario.Scenario{Gangs: 9, Size: 2, Nodes: 2, Held: 4})
	if err != nil {
		t.Fatal(err)
	}
	if len(o.pods) != 22 || len(o.held) != 4 || len(o.groups) != 11 {
		t.Fatalf("%d pods, %d held, %d groups", len(o.pods), len(o.held), len(o.groups))
	}
	var well []memory.Bind
	for i, p := range o.pods[:18] {
		well = append(well, memory.Bind{Pod: p.Name, Node: o.nodes[i%2].Name})
	}
	full := slices.Clone(well)
	for i := range full {
		full[i].Node = o.nodes[0].Name
	}
	for _, c := range []struct {
		what  string
		binds []memory.Bind
		want  string
	}{
		{"all well", well, ""},
		{"one twice", append(slices.Clone(well), well[0]), "was bound 2 times"},
		{"one is missing", well[1:], "was bound 0 times"},
		{"a held one", append(slices.Clone(well), memory.Bind{Pod: "h00000-00000", Node: o.nodes[0].Name}), "can't start"},
		{"a node too full", full, "18 pods on 16 CPUs"},
		{"no node", append(slices.Clone(well[1:]), memory.Bind{Pod: well[0].Pod, Node: "x"}), "is no node"},
	} {
		got := o.faults(c.binds)
		if c.want == "" && len(got) > 0 || c.want != "" && (len(got) != 1 || !strings.Contains(got[0], c.want)) {
			t.Errorf("%s: %q", c.what, got)
		}
	}
}
