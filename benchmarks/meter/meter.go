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
	if c.CPU, err = cpuTime(stat); err == nil {
		c.PeakMemory, err = peakMemory(status)
	}
	if err != nil {
		return Cost{}, fmt.Errorf("read the cost of process %d: %w", pid, err)
	}
	return c, nil
}

// cpuTime reads /proc/PID/stat. The process's name is in parentheses and may
// have anything in it, so the fields are counted from its end on.
func cpuTime(stat []byte) (time.Duration, error) {
	const user, system = 11, 12 // after the name
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) <= system {
		return 0, errors.New("its stat has too few fields")
	}
	var sum time.Duration
	for _, text := range []string{fields[user], fields[system]} {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return 0, err
		}
		sum += time.Duration(n) * tick
	}
	return sum, nil
}

// peakMemory reads VmHWM of /proc/PID/status, which is in KiB.
func peakMemory(status []byte) (int64, error) {
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			n, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			return n << 10, err
		}
	}
	return 0, errors.New("its status has no VmHWM; has it ended?")
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
