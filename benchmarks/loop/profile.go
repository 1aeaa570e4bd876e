package loop

import (
	"fmt"
	"io"
	"runtime"
	"runtime/pprof"
	"slices"
	"strings"

	"github.com/google/pprof/profile"
)

// rate is how many samples are asked for in a second of CPU time. The usual 100
// leave a chance of some percent in a run of a few seconds; more than this many
// common kernels don't deliver.
const rate = 250

// startProfile begins to sample the process.
func startProfile(out io.Writer) error {
	// The profiler sets its own rate only where none is set. It says so on the
	// standard error.
	runtime.SetCPUProfileRate(rate)
	if err := pprof.StartCPUProfile(out); err != nil {
		return fmt.Errorf("start the CPU profile: %w", err)
	}
	return nil
}

func stopProfile() { pprof.StopCPUProfile() }

// roots are the functions that decide: whatever they call is a part of the loop.
var roots = []string{
	"k8s.io/kubernetes/pkg/scheduler.(*Scheduler).ScheduleOne",
	"muster.sh/muster/scheduler/core.(*Loop).Run",
}

// piece begins the names of functions in which kube-scheduler does pieces of a
// cycle beside the goroutine that has ScheduleOne.
const piece = "k8s.io/client-go/util/workqueue.ParallelizeUntil."

// count tells how many samples a profile has inside of the loop, and in all.
func count(sampled []byte) (loop, all int64, err error) {
	p, err := profile.ParseData(sampled)
	if err != nil {
		return 0, 0, fmt.Errorf("read the CPU profile: %w", err)
	}
	for _, s := range p.Sample {
		all += s.Value[0]
		if slices.ContainsFunc(s.Location, ofLoop) {
			loop += s.Value[0]
		}
	}
	return loop, all, nil
}

func ofLoop(l *profile.Location) bool {
	return slices.ContainsFunc(l.Line, func(line profile.Line) bool {
		if line.Function == nil {
			return false
		}
		name := line.Function.Name
		return slices.Contains(roots, name) || strings.HasPrefix(name, piece)
	})
}
