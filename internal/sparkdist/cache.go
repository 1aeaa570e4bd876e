package sparkdist

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

// cache is the folder in which results are kept. A result is written beside its
// place under a temporary name and renamed when it is complete, so that a name
// without tempMark is always a whole result.
type cache struct{ dir string }

const tempMark = ".tmp-"

// defaultCacheDir is muster/spark below the user's cache ($XDG_CACHE_HOME).
func defaultCacheDir() (string, error) {
	base, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the user's cache folder (set XDG_CACHE_HOME): %w", err)
	}
	return filepath.Join(base, "muster", "spark"), nil
}

func (c cache) path(elem ...string) string {
	return filepath.Join(append([]string{c.dir}, elem...)...)
}

// lock waits until no other process builds in this cache and returns the
// function that lets the next one in. The kernel drops the lock of a process
// that dies.
func (c cache) lock(ctx context.Context, progress Progress) (unlock func(), err error) {
	if err := os.MkdirAll(c.dir, 0o755); err != nil {
		return nil, fmt.Errorf("make the cache folder: %w", err)
	}
	f, err := os.OpenFile(c.path("lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open the cache's lock: %w", err)
	}
	locked, err := tryLock(f)
	if err == nil && !locked {
		err = progress.step("wait for another build of Spark", 0, func(func(int64)) error { return awaitLock(ctx, f) })
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", f.Name(), err), f.Close())
	}
	return func() { _ = f.Close() }, nil // which drops the lock
}

func tryLock(f *os.File) (bool, error) {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) || errors.Is(err, syscall.EINTR) {
		return false, nil
	}
	return err == nil, err
}

// awaitLock asks again and again: the kernel offers no wait for a lock that a
// context could end.
func awaitLock(ctx context.Context, f *os.File) error {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		if locked, err := tryLock(f); locked || err != nil {
			return err
		}
	}
}

// sweep removes what killed builds left in the folders. The caller holds the
// lock.
func (c cache) sweep(folders ...string) error {
	for _, folder := range folders {
		left, err := filepath.Glob(c.path(folder, "*"+tempMark+"*"))
		if err != nil {
			return err
		}
		for _, path := range left {
			if err := os.RemoveAll(path); err != nil {
				return fmt.Errorf("clean the cache: %w", err)
			}
		}
	}
	return nil
}

// keepResults is how many results of one kind stay in the cache: enough for two
// users that change the same part to and fro.
const keepResults = 2

// prune removes, of the results in folder whose names begin with prefix, those
// that have not been used for longest. The caller holds the lock.
func (c cache) prune(folder, prefix string) error {
	results, err := filepath.Glob(c.path(folder, prefix+"*"))
	if err != nil {
		return err
	}
	used := make(map[string]time.Time, len(results))
	for _, path := range results {
		info, err := os.Stat(path)
		if err != nil {
			return fmt.Errorf("clean the cache: %w", err)
		}
		used[path] = info.ModTime()
	}
	slices.SortFunc(results, func(a, b string) int { return used[b].Compare(used[a]) })
	for _, path := range results[min(keepResults, len(results)):] {
		if err := os.RemoveAll(path); err != nil {
			return fmt.Errorf("clean the cache: %w", err)
		}
	}
	return nil
}

// once makes sure that dest exists: unless it does, build fills a temporary path
// (which doesn't exist yet) that then becomes dest.
func (c cache) once(dest string, build func(tmp string) error) error {
	if _, err := os.Stat(dest); err == nil {
		now := time.Now()
		return os.Chtimes(dest, now, now) // prune goes by the last use
	}
	if err := os.MkdirAll(filepath.Dir(dest), 0o755); err != nil {
		return err
	}
	tmp := fmt.Sprintf("%s%s%d", dest, tempMark, os.Getpid())
	defer os.RemoveAll(tmp)
	if err := build(tmp); err != nil {
		return err
	}
	return os.Rename(tmp, dest)
}

// key is a short name for everything that went into a result; any difference in
// any part gives another key.
func key(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return hex.EncodeToString(h.Sum(nil))[:16]
}
