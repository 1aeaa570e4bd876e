package localcluster

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

const (
	// readyTimeout bounds one component's start. A cold page cache on a busy
	// machine with two cores is what makes it this long.
	readyTimeout = 3 * time.Minute
	readyPoll    = 50 * time.Millisecond

	restartDelayMin = time.Second
	restartDelayMax = 30 * time.Second
)

// unit keeps one component running: a process that ends by itself is started
// again, as a kubelet would do, and one that was killed or stopped stays down.
type unit struct {
	component
	logFile string
	start   starter
	logf    func(format string, args ...any)
	changed func() // called when another process has taken over

	mu      sync.Mutex
	current *process           // nil when none runs
	cancel  context.CancelFunc // ends the keeper; nil when the unit is down
}

// up starts the component and waits until it is ready. A process that ends
// before that is an error, with the end of its log.
func (u *unit) up(ctx context.Context) error {
	u.mu.Lock()
	if u.cancel != nil {
		u.mu.Unlock()
		return nil
	}
	p, err := launch(u.start, u.component, u.logFile)
	if err != nil {
		u.mu.Unlock()
		return err
	}
	keeping, cancel := context.WithCancel(context.Background())
	u.current, u.cancel = p, cancel
	u.mu.Unlock()

	if err := u.awaitReady(ctx, p); err != nil {
		u.kill()
		return err
	}
	go u.keep(keeping, p)
	return nil
}

func (u *unit) awaitReady(ctx context.Context, p *process) error {
	if u.ready == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	ticker := time.NewTicker(readyPoll)
	defer ticker.Stop()
	for {
		err := u.ready(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-p.exited:
			return fmt.Errorf("%s ended before it was ready (%s); log %s ends with:\n%s", u.name, p.outcome(), u.logFile, logTail(u.logFile))
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.Canceled) { // the log has no part in it
				return fmt.Errorf("%s is not ready: %w", u.name, context.Cause(ctx))
			}
			return fmt.Errorf("%s is not ready: %w (last answer: %w); log %s ends with:\n%s", u.name, context.Cause(ctx), err, u.logFile, logTail(u.logFile))
		case <-ticker.C:
		}
	}
}

// keep starts the component again whenever its process ends, until ctx does.
func (u *unit) keep(ctx context.Context, p *process) {
	delay := restartDelayMin
	for {
		started := time.Now()
		select {
		case <-ctx.Done():
			return
		case <-p.exited:
		}
		if time.Since(started) > restartDelayMax {
			delay = restartDelayMin
		}
		u.logf("%s ended (%s), starting it again in %s", u.name, p.outcome(), delay)
		select {
		case <-ctx.Done():
			return
		case <-time.After(delay):
		}
		delay = min(2*delay, restartDelayMax)
		next, err := u.relaunch(ctx)
		if err != nil {
			u.logf("%v", err)
			continue
		}
		p = next
		u.changed()
	}
}

// relaunch replaces an ended process unless the unit was brought down meanwhile.
func (u *unit) relaunch(ctx context.Context) (*process, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if ctx.Err() != nil {
		return u.current, nil
	}
	p, err := launch(u.start, u.component, u.logFile)
	if err != nil {
		return nil, err
	}
	u.current = p
	return p, nil
}

// kill ends the process without warning and leaves the unit down.
func (u *unit) kill() {
	if p := u.release(); p != nil {
		p.kill()
	}
}

// down ends the process as it wishes to be ended and leaves the unit down.
func (u *unit) down() {
	if p := u.release(); p != nil {
		p.stop(u.grace)
	}
}

func (u *unit) release() *process {
	u.mu.Lock()
	defer u.mu.Unlock()
	p := u.current
	if u.cancel != nil {
		u.cancel()
	}
	u.current, u.cancel = nil, nil
	return p
}

// pid is the process's number, or zero when none runs.
func (u *unit) pid() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.current == nil {
		return 0
	}
	select {
	case <-u.current.exited:
		return 0
	default:
		return u.current.pid()
	}
}
