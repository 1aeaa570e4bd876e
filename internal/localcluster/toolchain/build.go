package toolchain

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
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
	start := time.Now()
	list, err := r.output(ctx, append([]string{"list", "-deps"}, r.packages...)...)
	if err != nil {
		return 0, fmt.Errorf("list packages (are the modules reachable?): %w", err)
	}
	event := Event{Tool: r.tool, Total: strings.Count(list, "\n") + 1}
	progress(event)

	cmd := r.command(ctx, r.args(out)...)
	lines, writer := io.Pipe()
	cmd.Stderr = writer // a line a package, and the compiler's complaints
	complaints := make(chan string, 1)
	go func() {
		complaints <- follow(lines, func() {
			event.Done = min(event.Done+1, event.Total)
			event.Took = time.Since(start)
			progress(event)
		})
	}()
	err = cmd.Run()
	_ = writer.Close() // always nil
	if said := <-complaints; err != nil {
		return 0, fmt.Errorf("go build in %s: %w\n%s", r.dir, err, said)
	}
	return event.Total, nil
}

// follow reads what `go build -v` says: an import path for every package, for
// which it calls compiled, and anything else, of which it returns the end.
func follow(output io.Reader, compiled func()) string {
	const keep = 20
	var rest []string
	scanner := bufio.NewScanner(output)
	for scanner.Scan() {
		line := scanner.Text()
		if isImportPath(line) {
			compiled()
			continue
		}
		if rest = append(rest, line); len(rest) > keep {
			rest = rest[1:]
		}
	}
	// A line too long to scan must not block go's writing.
	_, _ = io.Copy(io.Discard, output)
	return strings.Join(rest, "\n")
}

func isImportPath(line string) bool {
	return line != "" && !strings.ContainsAny(line, " :#\t")
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
