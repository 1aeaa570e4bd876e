package inside

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
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

func TestEverySetOfCPUsIsReadAsTheKernelWritesIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var want []int
		var parts []string
		next := 0
		for range rapid.IntRange(1, 5).Draw(t, "ranges") {
			first := next + rapid.IntRange(0, 3).Draw(t, "gap")
			last := first + rapid.IntRange(0, 4).Draw(t, "length")
			for cpu := first; cpu <= last; cpu++ {
				want = append(want, cpu)
			}
			if first == last {
				parts = append(parts, fmt.Sprint(first))
			} else {
				parts = append(parts, fmt.Sprintf("%d-%d", first, last))
			}
			next = last + 2
		}
		list := strings.Join(parts, ",")
		if got, err := parseCPUs(list); err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%s is read as %v, %v", list, got, err)
		}
	})
}

func TestWhatIsNoSetOfCPUsIsRefused(t *testing.T) {
	for _, list := range []string{"", "a", "0-", "-3", "0,,2", "0-b"} {
		if got, err := parseCPUs(list); err == nil {
			t.Errorf("%q is read as %v", list, got)
		}
	}
}

func TestCPUsAreRepeatedUnderTheirRealNumbers(t *testing.T) {
	if _, err := os.Stat(filepath.Join(nodesDir, "node0", "meminfo")); err != nil {
		t.Skip("needs a kernel that shows NUMA nodes: ", err)
	}
	folder := t.TempDir()
	v := View{Repeat: 3}
	for node := range v.Repeat {
		if err := v.writeNode(filepath.Join(folder, fmt.Sprintf("node%d", node)), node, []int{0, 5}); err != nil {
			t.Fatal(err)
		}
	}
	cpus, err := filepath.Glob(filepath.Join(folder, "node*", "cpu*"))
	if err != nil {
		t.Fatal(err)
	}
	if len(cpus) != 6 {
		t.Errorf("shown are %v", cpus)
	}
	core, err := os.ReadFile(filepath.Join(folder, "node2", "cpu5", "topology", "core_id"))
	if err != nil || string(core) != "5\n" {
		t.Errorf("core of CPU 5: %q, %v", core, err)
	}
	packageID, err := os.ReadFile(filepath.Join(folder, "node2", "cpu5", "topology", "physical_package_id"))
	if err != nil || string(packageID) != "2\n" {
		t.Errorf("package of the third showing: %q, %v", packageID, err)
	}
}
