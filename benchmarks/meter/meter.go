// Package meter tells what processes cost: their CPU time, their peak memory,
// and how much of the machine's work was theirs. It reads Linux' /proc.
package meter

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of /proc's times. The kernel shows them in hundredths of a
// second whatever it counts in (USER_HZ).
const tick = 10 * time.Millisecond

// Cost is what a process has used since it was started.
type Cost struct {
	CPU time.Duration `json:"cpu"`
	// PeakMemory is the most that it ever had resident, in bytes.
	PeakMemory int64 `json:"peakMemory"`
}

// Process returns what a running process has used so far.
func Process(pid int) (Cost, error) {
	dir := filepath.Join("/proc", strconv.Itoa(pid))
	stat, err := os.ReadFile(filepath.Join(dir, "stat"))
	if err != nil {
		return Cost{}, fmt.Errorf("read the cost of process %d: %w", pid, err)
	}
	status, err := os.ReadFile(filepath.Join(dir, "status"))
	if err != nil {
		return Cost{}, fmt.Errorf("read the memory of process %d: %w", pid, err)
	}
	var c Cost
	if c.CPU, err = cpuTime(stat, ownTimes); err == nil {
		c.PeakMemory, err = memory(status, "VmHWM")
	}
	if err != nil {
		return Cost{}, fmt.Errorf("read the cost of process %d: %w", pid, err)
	}
	return c, nil
}

// Fields of /proc/PID/stat, counted from the process's name on.
var (
	parent = 1
	// ownTimes are the process's user and system time, allTimes besides those of the
	// children that it has waited for.
	ownTimes = []int{11, 12}
	allTimes = []int{11, 12, 13, 14}
)

// statFields are those of /proc/PID/stat from the process's name on, which is in
// parentheses and may have anything in it.
func statFields(stat []byte) []string {
	return strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
}

// cpuTime is the sum of some times in /proc/PID/stat.
func cpuTime(stat []byte, times []int) (time.Duration, error) {
	fields := statFields(stat)
	var sum time.Duration
	for _, i := range times {
		if i >= len(fields) {
			return 0, errors.New("its stat has too few fields")
		}
		n, err := strconv.ParseInt(fields[i], 10, 64)
		if err != nil {
			return 0, err
		}
		sum += time.Duration(n) * tick
	}
	return sum, nil
}

// memory reads a size in /proc/PID/status, which is in KiB.
func memory(status []byte, name string) (int64, error) {
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, name+":"); ok {
			n, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			return n << 10, err
		}
	}
	return 0, fmt.Errorf("its status has no %s; has it ended?", name)
}

// Machine is how much CPU time all processes of the machine have used since it
// was started, without what was stolen from it by others on the same host.
func Machine() (time.Duration, error) {
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, fmt.Errorf("read the machine's CPU time: %w", err)
	}
	busy, err := busyTime(stat)
	if err != nil {
		return 0, fmt.Errorf("read the machine's CPU time: %w", err)
	}
	return busy, nil
}

// busyTime reads the first line of /proc/stat: user, nice, system, idle, iowait,
// irq, softirq, and more that is counted in these or stolen.
func busyTime(stat []byte) (time.Duration, error) {
	line, _, _ := strings.Cut(string(stat), "\n")
	fields := strings.Fields(line)
	if len(fields) < 8 || fields[0] != "cpu" {
		return 0, fmt.Errorf("%.60q is not the line that was expected", line)
	}
	var busy time.Duration
	for _, i := range []int{1, 2, 3, 6, 7} {
		n, err := strconv.ParseInt(fields[i], 10, 64)
		if err != nil {
			return 0, err
		}
		busy += time.Duration(n) * tick
	}
	return busy, nil
}
