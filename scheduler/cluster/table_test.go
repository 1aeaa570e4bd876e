package cluster_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"muster.sh/muster/scheduler/cluster"
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/resource"
)

func pod(id, node string, cpu int64, g gang.ID, ports ...string) cluster.Pod {
	return cluster.Pod{ID: gang.PodID(id), Node: node, Request: resource.Vector{MilliCPU: cpu}, Gang: g, HostPorts: ports}
}

func TestAPodMayBeSeenBeforeItsNode(t *testing.T) {
	table := cluster.NewTable()
	table.SetPod(pod("a", "n1", 3, ""))
	if _, ok := table.Row("n1"); ok || len(table.Names()) != 0 {
		t.Error("a pod makes no node")
	}
	table.SetNode(cluster.Node{Name: "n1", Allocatable: resource.Vector{MilliCPU: 10}})
	if row, _ := table.Row("n1"); row.Free.MilliCPU != 7 {
		t.Errorf("%s is free", row.Free)
	}
	table.RemoveNode("n1")
	if table.Node("n1") != nil {
		t.Error("the node is still there")
	}
	table.SetNode(cluster.Node{Name: "n1", Allocatable: resource.Vector{MilliCPU: 5}})
	if row, _ := table.Row("n1"); row.Free.MilliCPU != 2 {
		t.Errorf("%s is free after the node came back", row.Free)
	}
}

func TestAPodIsOnOneNodeOnly(t *testing.T) {
	table := cluster.NewTable()
	for _, n := range []string{"n1", "n2"} {
		table.SetNode(cluster.Node{Name: n, Allocatable: resource.Vector{MilliCPU: 10}})
	}
	table.SetPod(pod("a", "n1", 3, "", "TCP//80"))
	table.SetPod(pod("a", "n2", 4, "", "TCP//81"))
	one, _ := table.Row("n1")
	two, _ := table.Row("n2")
	if one.Free.MilliCPU != 10 || two.Free.MilliCPU != 6 || len(one.Ports) != 0 || !two.Ports["TCP//81"] {
		t.Errorf("n1 is %+v, n2 is %+v", one, two)
	}
}

// model is a table as anybody would write it: it adds everything up each time.
type model struct {
	nodes map[string]cluster.Node
	pods  map[gang.PodID]cluster.Pod
}

func (m model) view(counts func(cluster.Pod) bool) cluster.View {
	var v cluster.View
	for _, name := range slices.Sorted(maps.Keys(m.nodes)) {
		n := m.nodes[name]
		row := cluster.Row{Node: &n, Free: n.Allocatable, Ports: map[string]bool{}}
		for _, p := range m.pods {
			if p.Node == name && counts(p) {
				row.Free = row.Free.Sub(p.Request)
				for _, port := range p.HostPorts {
					row.Ports[port] = true
				}
			}
		}
		v.Rows = append(v.Rows, row)
	}
	return v
}

func differ(got, want cluster.View) error {
	if len(got.Rows) != len(want.Rows) {
		return fmt.Errorf("%d rows, want %d", len(got.Rows), len(want.Rows))
	}
	for i, w := range want.Rows {
		if g := got.Rows[i]; g.Node.Name != w.Node.Name || !g.Free.Equal(w.Free) || !maps.Equal(g.Ports, w.Ports) {
			return fmt.Errorf("row %d is %s %s %v, want %s %s %v", i, g.Node.Name, g.Free, g.Ports, w.Node.Name, w.Free, w.Ports)
		}
	}
	return nil
}

func TestTheTableAddsUpInWhateverOrderThingsAreSeen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table := cluster.NewTable()
		m := model{nodes: map[string]cluster.Node{}, pods: map[gang.PodID]cluster.Pod{}}
		node := rapid.SampledFrom([]string{"n0", "n1", "n2"})
		id := rapid.SampledFrom([]string{"a", "b", "c", "d", "e"})
		gangs := rapid.SampledFrom([]gang.ID{"", "g1", "g2"})
		t.Repeat(map[string]func(*rapid.T){
			"a node is set": func(t *rapid.T) {
				n := cluster.Node{Name: node.Draw(t, "node"), Allocatable: resource.Vector{MilliCPU: rapid.Int64Range(0, 20).Draw(t, "cpu")}}
				table.SetNode(n)
				m.nodes[n.Name] = n
			},
			"a node is removed": func(t *rapid.T) {
				name := node.Draw(t, "node")
				table.RemoveNode(name)
				delete(m.nodes, name)
			},
			"a pod is set": func(t *rapid.T) {
				p := pod(id.Draw(t, "pod"), node.Draw(t, "node"), rapid.Int64Range(0, 5).Draw(t, "cpu"), gangs.Draw(t, "gang"))
				if rapid.Bool().Draw(t, "ported") {
					p.HostPorts = []string{"TCP//" + string(p.ID)}
				}
				table.SetPod(p)
				m.pods[p.ID] = p
			},
			"a pod is removed": func(t *rapid.T) {
				p := gang.PodID(id.Draw(t, "pod"))
				_, known := m.pods[p]
				if _, was := table.RemovePod(p); was != known {
					t.Fatalf("pod %s was there: %t", p, was)
				}
				delete(m.pods, p)
			},
			"": func(t *rapid.T) {
				all := m.view(func(cluster.Pod) bool { return true })
				var rows cluster.View
				for _, name := range table.Names() {
					row, _ := table.Row(name)
					rows.Rows = append(rows.Rows, row)
				}
				if err := differ(rows, all); err != nil {
					t.Fatalf("rows: %v", err)
				}
				for _, id := range []gang.ID{"", "g1"} {
					mine := m.view(func(p cluster.Pod) bool { return p.Gang == "" || p.Gang == id })
					if err := differ(table.WithoutOthers(id, nil), mine); err != nil {
						t.Fatalf("without others than %q: %v", id, err)
					}
				}
				if err := differ(table.Empty(), m.view(func(cluster.Pod) bool { return false })); err != nil {
					t.Fatalf("empty: %v", err)
				}
				if some := table.WithoutOthers("", map[string]bool{"n1": true}); len(some.Rows) > 1 || (len(some.Rows) == 1) != (table.Node("n1") != nil) {
					t.Fatalf("of n1 alone there are %d rows", len(some.Rows))
				}
			},
		})
	})
}
