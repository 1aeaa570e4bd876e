package localcluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// Owner is the process that a cluster's components are children of. The start
// time tells it from a later process with the same number.
type Owner struct {
	PID        int    `json:"pid"`
	StartTicks uint64 `json:"startTicks"` // since boot, in clock ticks
}

func ownerOf(pid int) (Owner, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return Owner{}, err
	}
	// The second field is the program's name in brackets and may hold anything,
	// so fields are counted from its end: the state is the third field, the
	// start time the 22nd.
	const startTimeAfterName = 22 - 3
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) <= startTimeAfterName {
		return Owner{}, fmt.Errorf("/proc/%d/stat is too short", pid)
	}
	if state := string(fields[0]); state == "Z" || state == "X" {
		return Owner{}, fmt.Errorf("process %d has ended", pid)
	}
	ticks, err := strconv.ParseUint(string(fields[startTimeAfterName]), 10, 64)
	if err != nil {
		return Owner{}, fmt.Errorf("start time of process %d: %w", pid, err)
	}
	return Owner{PID: pid, StartTicks: ticks}, nil
}

// Alive tells whether that process still runs.
func (o Owner) Alive() bool {
	now, err := ownerOf(o.PID)
	return o.PID != 0 && err == nil && now == o
}

// Shutdown asks the process that owns the cluster in dir to end it, and waits
// until it has. It returns ErrNotRunning if none does.
func Shutdown(ctx context.Context, dir string) error {
	state, err := readState(layout{dir: dir})
	if err != nil {
		return err
	}
	// The handle names this very process even if its number is reused.
	handle, err := unix.PidfdOpen(state.Owner.PID, 0)
	if err != nil || !state.Owner.Alive() {
		return fmt.Errorf("%s: %w", dir, ErrNotRunning)
	}
	defer func() { _ = unix.Close(handle) }()
	if err := unix.PidfdSendSignal(handle, unix.SIGTERM, nil, 0); err != nil {
		return fmt.Errorf("signal the supervisor, process %d: %w", state.Owner.PID, err)
	}
	return awaitExit(ctx, handle)
}

// awaitExit waits until the process behind a pidfd is gone.
func awaitExit(ctx context.Context, handle int) error {
	woken, wake, err := os.Pipe()
	if err != nil {
		return err
	}
	defer func() { _ = woken.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = wake.Close() })
	defer func() {
		if stop() {
			_ = wake.Close()
		}
	}()
	watched := []unix.PollFd{{Fd: int32(handle), Events: unix.POLLIN}, {Fd: int32(woken.Fd()), Events: unix.POLLIN}}
	for {
		_, err := unix.Poll(watched, -1)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return fmt.Errorf("wait for the supervisor: %w", err)
		case watched[0].Revents != 0:
			return nil
		default:
			return fmt.Errorf("wait for the supervisor: %w", ctx.Err())
		}
	}
}

// Remove deletes the state of the cluster in dir, which must not be running.
func Remove(dir string) error {
	paths := layout{dir: dir}
	if _, err := os.Stat(paths.dir); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	lock, err := takeLock(paths.lock())
	if err != nil {
		return err
	}
	return errors.Join(paths.remove(), lock.Close())
}
