package inside

import (
	"fmt"
	"math/bits"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"golang.org/x/sys/unix"
)

// View is the machine as a kubelet shall see it, and so as the node reports it.
// Pods see the real one, and its limits are what holds them.
type View struct {
	// CPUs is how many CPUs are shown; zero shows those that there are.
	//
	// Real ones are shown repeatedly, none are invented: the kubelet writes the
	// set of their numbers into a control group, and the kernel refuses numbers
	// that it does not know.
	CPUs int `json:"cpus,omitempty"`
	// MemoryBytes is the size of the memory; zero leaves it.
	MemoryBytes int64 `json:"memoryBytes,omitempty"`
}

// cover puts the view over what the kernel shows.
func (v View) cover() error {
	if v.MemoryBytes > 0 {
		real, err := os.ReadFile("/proc/meminfo")
		if err != nil {
			return err
		}
		if err := cover("/proc/meminfo", withTotal(string(real), v.MemoryBytes)); err != nil {
			return err
		}
	}
	if v.CPUs > 0 {
		return v.coverCPUs()
	}
	return nil
}

var totalLine = regexp.MustCompile(`(?m)^MemTotal:.*$`)

// withTotal is meminfo with another size of the memory.
func withTotal(meminfo string, bytes int64) string {
	return totalLine.ReplaceAllString(meminfo, fmt.Sprintf("MemTotal:       %d kB", bytes/1024))
}

const nodesDir = "/sys/devices/system/node"

// coverCPUs shows CPUs in NUMA nodes of which each holds every real CPU once,
// but for the last, which may hold fewer.
func (v View) coverCPUs() error {
	tree := filepath.Join(coversDir, "numa")
	if err := os.RemoveAll(tree); err != nil { // of an earlier kubelet
		return err
	}
	real, err := ownCPUs()
	if err != nil {
		return fmt.Errorf("count CPUs: %w", err)
	}
	meminfo, err := os.ReadFile(filepath.Join(nodesDir, "node0", "meminfo"))
	if err != nil {
		return fmt.Errorf("another number of CPUs can't be shown where the kernel shows no NUMA nodes: %w", err)
	}
	nodes := v.spread(real)
	for i, cpus := range nodes {
		folder := filepath.Join(tree, fmt.Sprintf("node%d", i))
		if err := writeNUMANode(folder, i, len(nodes), cpus, meminfo); err != nil {
			return fmt.Errorf("make a view of the CPUs: %w", err)
		}
	}
	if err := unix.Mount(tree, nodesDir, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("cover %s: %w", nodesDir, err)
	}
	return nil
}

// ownCPUs are the numbers of the CPUs that this process may use.
func ownCPUs() ([]int, error) {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return nil, err
	}
	var cpus []int
	for cpu := range len(set) * bits.UintSize {
		if set.IsSet(cpu) {
			cpus = append(cpus, cpu)
		}
	}
	return cpus, nil
}

// spread says which CPUs each NUMA node shows.
func (v View) spread(real []int) [][]int {
	var nodes [][]int
	for left := v.CPUs; left > 0; left -= len(real) {
		nodes = append(nodes, real[:min(left, len(real))])
	}
	return nodes
}

// writeNUMANode writes the files of one of several NUMA nodes that the kubelet
// reads.
func writeNUMANode(folder string, node, nodes int, cpus []int, meminfo []byte) error {
	files := map[string]string{
		"meminfo":  string(meminfo),
		"distance": strings.Repeat("10 ", nodes) + "\n",
	}
	for _, cpu := range cpus {
		topology := fmt.Sprintf("cpu%d/topology/", cpu)
		files[topology+"core_id"] = fmt.Sprintln(cpu)
		files[topology+"physical_package_id"] = fmt.Sprintln(node)
		// The kubelet can do without knowing caches, but not without the folder.
		if err := os.MkdirAll(filepath.Join(folder, fmt.Sprintf("cpu%d/cache", cpu)), 0o755); err != nil {
			return err
		}
	}
	for name, content := range files {
		file := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			return err
		}
	}
	return nil
}
