package toolchain

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// ensure makes dir hold the tool's programs. The folder appears whole, by one
// rename, so that its being there is the proof that it is complete.
func (r *recipe) ensure(ctx context.Context, dir string, progress Progress) error {
	if present(dir) {
		progress(Event{Tool: r.tool, Finished: true, Cached: true})
		return nil
	}
	start := time.Now()
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	unlock, err := lock(ctx, dir+".lock")
	if err != nil {
		return err
	}
	defer unlock()
	if present(dir) { // another process built it while we waited
		progress(Event{Tool: r.tool, Finished: true, Cached: true, Took: time.Since(start)})
		return nil
	}
	temporary, err := os.MkdirTemp(filepath.Dir(dir), ".building-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(temporary) }() // gone already if all went well
	if err := os.Chmod(temporary, 0o755); err != nil {
		return err
	}
	total, err := r.build(ctx, temporary, progress)
	if err != nil {
		return err
	}
	if err := os.Rename(temporary, dir); err != nil {
		return err
	}
	progress(Event{Tool: r.tool, Done: total, Total: total, Finished: true, Took: time.Since(start)})
	return nil
}

func present(dir string) bool {
	_, err := os.Stat(dir)
	return err == nil
}

// build runs go and returns how many packages the tool is made of.
func (r *recipe) build(ctx context.Context, out string, progress Progress) (int, error) {
	event, start := Event{Tool: r.tool}, time.Now()
	progress(event)
	build := r.goBuild(out)
	build.Progress = func(done, total int, _ string) {
		event.Done, event.Total, event.Took = done, total, time.Since(start)
		progress(event)
	}
	if err := build.Run(ctx); err != nil {
		return 0, fmt.Errorf("build in %s: %w", r.dir, err)
	}
	return event.Total, nil
}

// lock takes the file's lock, waiting for another holder as long as ctx lives.
func lock(ctx context.Context, path string) (unlock func(), err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	// The kernel gives no event for a lock that becomes free, other than to a
	// thread that blocks for it, which no context could end.
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for {
		err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return func() { _ = file.Close() }, nil // closing releases the lock
		}
		if !errors.Is(err, unix.EWOULDBLOCK) {
			_ = file.Close()
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		select {
		case <-ctx.Done():
			_ = file.Close()
			return nil, fmt.Errorf("wait for another process that builds (%s): %w", path, ctx.Err())
		case <-ticker.C:
		}
	}
}
