package inside

import (
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"sync"

	"golang.org/x/sys/unix"
)

// reaper starts children and buries every process that ends, its children and
// those that ended processes leave to process 1. It is the only one that may
// wait for processes, or their ends would go to whoever asks first.
type reaper struct {
	mu      sync.Mutex
	waiting map[int]chan unix.WaitStatus
}

func newReaper() *reaper {
	r := &reaper{waiting: map[int]chan unix.WaitStatus{}}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, unix.SIGCHLD)
	go func() {
		for range signals {
			r.bury()
		}
	}()
	return r
}

// start starts the command; how it ended is sent on the channel. The command's
// output must be files, and its Wait must not be called.
func (r *reaper) start(cmd *exec.Cmd) (<-chan unix.WaitStatus, error) {
	// Under the lock no end can be buried before it is known whose it is.
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	ended := make(chan unix.WaitStatus, 1)
	r.waiting[cmd.Process.Pid] = ended
	return ended, nil
}

// bury takes the ends of all processes that have ended by now: signals that
// come together count as one.
func (r *reaper) bury() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		var status unix.WaitStatus
		pid, err := unix.Wait4(-1, &status, unix.WNOHANG, nil)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil || pid <= 0 {
			return
		}
		if ended, ok := r.waiting[pid]; ok {
			delete(r.waiting, pid)
			ended <- status
		}
	}
}
