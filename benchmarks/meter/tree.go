package meter

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"
)

// Use is what a process uses together with all that it has started.
type Use struct {
	// CPU is the time since the process was started, and that of those that have ended.
	CPU time.Duration `json:"cpu"`
	// Resident and Anonymous are bytes of memory: all that is resident, and the part of
	// it that no file stands behind. Pages that processes share count for each of them.
	Resident  int64 `json:"resident"`
	Anonymous int64 `json:"anonymous"`
}

// Tree returns what a running process uses now, with all that descend from it.
func Tree(pid int) (Use, error) {
	stats, err := readStats()
	if err != nil {
		return Use{}, err
	}
	if stats[pid] == nil {
		return Use{}, fmt.Errorf("read the use of process %d: there is none", pid)
	}
	children := map[int][]int{}
	for child, stat := range stats {
		if fields := statFields(stat); len(fields) > parent {
			if of, err := strconv.Atoi(fields[parent]); err == nil {
				children[of] = append(children[of], child)
			}
		}
	}
	var sum Use
	for open := []int{pid}; len(open) > 0; {
		next := open[0]
		open = append(open[1:], children[next]...)
		cpu, err := cpuTime(stats[next], allTimes)
		if err != nil {
			return Use{}, fmt.Errorf("read the use of process %d: %w", next, err)
		}
		sum.CPU += cpu
		// One that has ended meanwhile has no memory.
		status, _ := os.ReadFile(filepath.Join("/proc", strconv.Itoa(next), "status"))
		resident, _ := memory(status, "VmRSS")
		anonymous, _ := memory(status, "RssAnon")
		sum.Resident, sum.Anonymous = sum.Resident+resident, sum.Anonymous+anonymous
	}
	return sum, nil
}

// readStats reads /proc/PID/stat of all processes.
func readStats() (map[int][]byte, error) {
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, fmt.Errorf("list the processes: %w", err)
	}
	stats := map[int][]byte{}
	for _, file := range files {
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if err != nil {
			continue
		}
		if stat, err := os.ReadFile(file); err == nil { // else it has ended meanwhile
			stats[pid] = stat
		}
	}
	return stats, nil
}

// Peak is the most memory that a process and its descendants used while it was watched.
type Peak struct {
	mu   sync.Mutex
	most Use
}

// peakPoll is how often memory is looked at. What is shorter than that is missed.
const peakPoll = 200 * time.Millisecond

// WatchPeak looks at the memory of a process and its descendants until the context ends.
func WatchPeak(ctx context.Context, pid int) *Peak {
	p := &Peak{}
	go func() {
		ticker := time.NewTicker(peakPoll)
		defer ticker.Stop()
		for {
			p.look(pid)
			select {
			case <-ticker.C:
			case <-ctx.Done():
				return
			}
		}
	}()
	return p
}

func (p *Peak) look(pid int) {
	now, err := Tree(pid)
	if err != nil {
		return // it has ended, and uses nothing
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.most.Resident, p.most.Anonymous = max(p.most.Resident, now.Resident), max(p.most.Anonymous, now.Anonymous)
}

// Memory is the most that was seen so far, of each kind at its own time.
func (p *Peak) Memory() (resident, anonymous int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.most.Resident, p.most.Anonymous
}
