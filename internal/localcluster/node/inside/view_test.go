package inside

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestMemoryIsShownInAnotherSizeAndTheRestAsItIs(t *testing.T) {
	real := "MemTotal:       24576000 kB\nMemFree:        20000000 kB\nSwapTotal:             0 kB\n"
	want := "MemTotal:       8388608 kB\nMemFree:        20000000 kB\nSwapTotal:             0 kB\n"
	if got := withTotal(real, 8<<30); got != want {
		t.Errorf("got\n%s", got)
	}
}

func TestAsManyCPUsAreShownAsWanted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		real := rapid.SliceOfNDistinct(rapid.IntRange(0, 255), 1, 64, rapid.ID).Draw(t, "real")
		v := View{CPUs: rapid.IntRange(1, 500).Draw(t, "wanted")}
		shown := 0
		for _, node := range v.spread(real) {
			shown += len(node)
			seen := map[int]bool{}
			for _, cpu := range node {
				if seen[cpu] || !slices.Contains(real, cpu) {
					t.Fatalf("CPU %d is shown twice in a node, or is not one of %v", cpu, real)
				}
				seen[cpu] = true
			}
		}
		if shown != v.CPUs {
			t.Fatalf("%d CPUs are shown, %d are wanted", shown, v.CPUs)
		}
	})
}

func TestOwnCPUsAreAsManyAsTheRuntimeCounts(t *testing.T) {
	if cpus, err := ownCPUs(); err != nil || len(cpus) != runtime.NumCPU() {
		t.Errorf("found %v, %v; the runtime has %d", cpus, err, runtime.NumCPU())
	}
}

func TestANUMANodeHoldsWhatTheKubeletReads(t *testing.T) {
	folder := t.TempDir()
	if err := writeNUMANode(folder, 2, 3, []int{0, 5}, []byte("Node 0 MemTotal: 1 kB\n")); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{
		"distance":                          "10 10 10 \n",
		"meminfo":                           "Node 0 MemTotal: 1 kB\n",
		"cpu0/topology/core_id":             "0\n",
		"cpu5/topology/core_id":             "5\n",
		"cpu5/topology/physical_package_id": "2\n",
	} {
		if got, err := os.ReadFile(filepath.Join(folder, file)); err != nil || string(got) != want {
			t.Errorf("%s holds %q, %v", file, got, err)
		}
	}
	if info, err := os.Stat(filepath.Join(folder, "cpu5", "cache")); err != nil || !info.IsDir() {
		t.Errorf("there is no folder of caches: %v", err)
	}
}
