// Package gobuild runs "go build" and tells how far it is.
package gobuild

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

// Build is one run of the go command.
type Build struct {
	Dir      string   // where go runs; empty: here
	Env      []string // added to this process's own
	Args     []string // between "build" and the packages
	Packages []string
	// Progress is told of every compiled package: how many of all are done, and
	// its import path. Nil spares the counting. What the go command has in its
	// cache is not compiled, so a build may end long before all are done. It
	// must not block.
	Progress func(done, total int, path string)
}

// Run builds. An error holds the end of what the go command said.
func (b Build) Run(ctx context.Context) error {
	total, err := b.count(ctx)
	if err != nil {
		return err
	}
	args := append([]string{"build", "-v"}, b.Args...)
	build := b.command(ctx, append(args, b.Packages...)...)
	lines, writer := io.Pipe()
	build.Stderr = writer // a line a package, and the compiler's complaints
	complaints := make(chan string, 1)
	go func() {
		done := 0
		complaints <- follow(lines, func(path string) {
			if done++; b.Progress != nil {
				b.Progress(min(done, total), total, path)
			}
		})
	}()
	err = build.Run()
	_ = writer.Close() // always nil
	if said := <-complaints; err != nil {
		return fmt.Errorf("go build: %w\n%s", err, said)
	}
	return nil
}

// count returns how many packages there are, compiled or not.
func (b Build) count(ctx context.Context) (int, error) {
	if b.Progress == nil {
		return 0, nil
	}
	list, err := b.command(ctx, append([]string{"list", "-deps"}, b.Packages...)...).Output()
	if err != nil {
		return 0, fmt.Errorf("list packages (are the modules reachable?): %w", explain(err))
	}
	return strings.Count(string(list), "\n"), nil
}

func (b Build) command(ctx context.Context, args ...string) *exec.Cmd {
	command := exec.CommandContext(ctx, "go", args...)
	command.Dir = b.Dir
	command.Env = append(os.Environ(), b.Env...)
	return command
}

// follow reads what "go build -v" says: an import path for every package, and
// anything else, of which it returns the end.
func follow(output io.Reader, compiled func(path string)) string {
	const keep = 20
	var rest []string
	scanner := bufio.NewScanner(output)
	for scanner.Scan() {
		line := scanner.Text()
		if isImportPath(line) {
			compiled(line)
			continue
		}
		if rest = append(rest, line); len(rest) > keep {
			rest = rest[1:]
		}
	}
	// A line too long to scan must not block the go command's writing.
	_, _ = io.Copy(io.Discard, output)
	return strings.Join(rest, "\n")
}

func isImportPath(line string) bool {
	return line != "" && !strings.ContainsAny(line, " :#\t")
}

// explain adds what the go command said to its exit status.
func explain(err error) error {
	var exit *exec.ExitError
	if errors.As(err, &exit) && len(exit.Stderr) > 0 {
		return fmt.Errorf("%w: %s", err, strings.TrimSpace(string(exit.Stderr)))
	}
	return err
}
