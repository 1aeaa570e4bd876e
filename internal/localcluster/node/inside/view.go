package inside

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// View is the machine as a kubelet shall see it, and so as the node reports it.
// Pods see the real one, and its limits are what holds them.
type View struct {
	// Repeat is how many times the machine's CPUs are counted; zero and one
	// leave the count as it is.
	//
	// They are repeated, never invented: the kubelet writes the set of their
	// numbers into a control group, and the kernel refuses numbers it lacks.
	Repeat int `json:"repeat,omitempty"`
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
	if v.Repeat > 1 {
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

// coverCPUs shows the machine's CPUs under several NUMA nodes each.
func (v View) coverCPUs() error {
	tree := filepath.Join(coversDir, "numa")
	if err := os.RemoveAll(tree); err != nil { // of an earlier kubelet
		return err
	}
	cpus, err := onlineCPUs()
	if err != nil {
		return fmt.Errorf("count CPUs: %w", err)
	}
	for node := range v.Repeat {
		if err := v.writeNode(filepath.Join(tree, fmt.Sprintf("node%d", node)), node, cpus); err != nil {
			return fmt.Errorf("make a view of the CPUs: %w", err)
		}
	}
	if err := unix.Mount(tree, nodesDir, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("cover %s: %w", nodesDir, err)
	}
	return nil
}

// writeNode writes the files of one NUMA node that the kubelet reads.
func (v View) writeNode(folder string, node int, cpus []int) error {
	meminfo, err := os.ReadFile(filepath.Join(nodesDir, "node0", "meminfo"))
	if err != nil {
		return err
	}
	files := map[string]string{
		"meminfo":  string(meminfo),
		"distance": strings.Repeat("10 ", v.Repeat) + "\n",
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

func onlineCPUs() ([]int, error) {
	list, err := os.ReadFile("/sys/devices/system/cpu/online")
	if err != nil {
		return nil, err
	}
	return parseCPUs(strings.TrimSpace(string(list)))
}

// parseCPUs reads the kernel's notation of a set of CPUs, such as 0-3,8.
func parseCPUs(list string) ([]int, error) {
	var cpus []int
	for _, part := range strings.Split(list, ",") {
		low, high, isRange := strings.Cut(part, "-")
		if !isRange {
			high = low
		}
		first, err := strconv.Atoi(low)
		if err != nil {
			return nil, fmt.Errorf("CPU set %q: %w", list, err)
		}
		last, err := strconv.Atoi(high)
		if err != nil {
			return nil, fmt.Errorf("CPU set %q: %w", list, err)
		}
		for cpu := first; cpu <= last; cpu++ {
			cpus = append(cpus, cpu)
		}
	}
	return cpus, nil
}
