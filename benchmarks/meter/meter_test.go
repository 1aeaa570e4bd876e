package meter

import (
	"os"
	"strings"
	"testing"
	"time"
)

func TestProcIsReadAsTheKernelWritesIt(t *testing.T) {
	stat := []byte("42 (a) name (x) S 1 42 42 0 -1 4194560 100 0 0 0 250 50 7 9 20 0 1 0 5 0 0\n")
	cpu, err := cpuTime(stat, ownTimes)
	if err != nil || cpu != 3*time.Second {
		t.Errorf("CPU time %s, %v", cpu, err)
	}
	if cpu, err = cpuTime(stat, allTimes); err != nil || cpu != 3160*time.Millisecond {
		t.Errorf("CPU time with that of children %s, %v", cpu, err)
	}
	peak, err := memory([]byte("Name:\tx\nVmPeak:\t  900 kB\nVmHWM:\t  512 kB\nVmRSS:\t 1 kB\n"), "VmHWM")
	if err != nil || peak != 512<<10 {
		t.Errorf("peak memory %d, %v", peak, err)
	}
	busy, err := busyTime([]byte("cpu  100 20 30 4000 500 6 7 8 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n"))
	if err != nil || busy != 1630*time.Millisecond {
		t.Errorf("busy %s, %v", busy, err)
	}
}

func TestWhatIsNotAsExpectedIsAnError(t *testing.T) {
	if _, err := cpuTime([]byte("42 (a) S 1"), ownTimes); err == nil {
		t.Error("a short stat was read")
	}
	if _, err := memory([]byte("Name:\tx\n"), "VmHWM"); err == nil {
		t.Error("a status of a dead process was read")
	}
	if _, err := busyTime([]byte("intr 1 2 3\n")); err == nil {
		t.Error("another line was read")
	}
	if _, err := Process(1 << 30); err == nil || !strings.Contains(err.Error(), "1073741824") {
		t.Errorf("a process that doesn't exist: %v", err)
	}
}

func TestAProcessCostsWhatItDoes(t *testing.T) {
	before, err := Process(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	machine, err := Machine()
	if err != nil {
		t.Fatal(err)
	}
	block := make([]byte, 64<<20)
	sum := byte(0)
	for after := before; after.CPU < before.CPU+5*tick; {
		for i := range block {
			block[i]++
			sum += block[i]
		}
		if after, err = Process(os.Getpid()); err != nil {
			t.Fatal(err)
		}
	}
	after, err := Process(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if after.PeakMemory < int64(len(block)) {
		t.Errorf("%d bytes at most, after %d were used (%d)", after.PeakMemory, len(block), sum)
	}
	now, err := Machine()
	if err != nil {
		t.Fatal(err)
	}
	if now-machine < after.CPU-before.CPU-2*tick {
		t.Errorf("the machine worked for %s, one process of it for %s", now-machine, after.CPU-before.CPU)
	}
}
