package loop

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"muster.sh/muster/benchmarks/meter"
)

// cpu is CPU time so far.
type cpu struct {
	process, machine time.Duration
}

// clocks reads this process's, finer than /proc tells it, and the machine's.
func clocks() (cpu, error) {
	var used unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &used); err != nil {
		return cpu{}, fmt.Errorf("read the process's CPU time: %w", err)
	}
	machine, err := meter.Machine()
	return cpu{time.Duration(used.Utime.Nano() + used.Stime.Nano()), machine}, err
}
