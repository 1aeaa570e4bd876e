package spark

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"muster.sh/muster/internal/sparksubmit"
	"muster.sh/muster/test/testcluster"
)

// rest is a step in which the driver alone is at a place.
const rest = 0

// application runs parts.py, which goes from step to step with the test.
type application struct {
	name      string
	executors int // that it cannot do without
	steps     []int
	settings  []sparksubmit.Setting
}

// What a JVM gets, and what Spark requests for its pod: the overhead is at least
// 384 MiB.
const (
	heap      = "512m"
	podMemory = "896Mi"
)

// submit makes the places of an application and submits it.
func (s *story) submit(a application) {
	s.Helper()
	s.prepare(a)
	s.must(s.spark.Submit(s.ctx, sparksubmit.Application{
		Name: a.name, Settings: s.settings(a), File: "local://" + s.inPods("parts.py"), Args: s.arguments(a),
	}))
}

// prepare makes the places to which the application will go.
func (s *story) prepare(a application) {
	s.Helper()
	s.minimum[a.name] = a.executors
	s.must(os.Mkdir(filepath.Join(s.shared, a.name), 0o755))
	for step, parts := range a.steps {
		for part := range max(1, parts) {
			place := s.place(a, step, part)
			s.must(unix.Mkfifo(place, 0o644))
			s.must(os.Chmod(place, 0o644)) // whatever the umask is
		}
	}
}

func (s *stage) place(a application, step, part int) string {
	return filepath.Join(s.shared, a.name, fmt.Sprintf("%d-%d", step, part))
}

// settings are those of the application's size, and its own.
func (s *stage) settings(a application) []sparksubmit.Setting {
	return slices.Concat([]sparksubmit.Setting{
		{Key: "spark.kubernetes.scheduler.name", Value: testcluster.Muster},
		{Key: "spark.executor.instances", Value: strconv.Itoa(a.executors)},
		{Key: "spark.driver.memory", Value: heap},
		{Key: "spark.executor.memory", Value: heap},
		{Key: "spark.kubernetes.driver.request.cores", Value: s.share.String()},
		{Key: "spark.kubernetes.executor.request.cores", Value: s.share.String()},
	}, sparksubmit.Folder("driver", "stories", s.shared, folder), sparksubmit.Folder("executor", "stories", s.shared, folder), a.settings)
}

func (s *stage) arguments(a application) []string {
	args := []string{s.inPods(a.name)}
	for _, parts := range a.steps {
		args = append(args, strconv.Itoa(parts))
	}
	return args
}

// meet waits until every part of a step, or the driver that rests in it, is at its
// place: all of them at the same time. They stay until the result is called.
func (s *story) meet(a application, step int) (leave func()) {
	s.Helper()
	var open []*os.File
	leave = func() {
		for _, pipe := range open {
			_ = pipe.Close() // nothing was written
		}
	}
	for part := range max(1, a.steps[step]) {
		pipe, err := join(s.ctx, s.place(a, step, part))
		if err != nil {
			leave()
			s.Fatalf("part %d of step %d of %s is not at its place: %v; there are %s",
				part, step, a.name, err, testcluster.Summary(s.Pods.List(inNamespace)))
		}
		open = append(open, pipe)
	}
	return leave
}

// join opens a named pipe for writing, which waits for a reader.
func join(ctx context.Context, pipe string) (*os.File, error) {
	type result struct {
		file *os.File
		err  error
	}
	opened := make(chan result, 1)
	go func() {
		file, err := os.OpenFile(pipe, os.O_WRONLY, 0)
		opened <- result{file, err}
	}()
	select {
	case r := <-opened:
		return r.file, r.err
	case <-ctx.Done():
	}
	// A reader of our own lets the other side go.
	reader, err := os.OpenFile(pipe, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	if r := <-opened; r.err == nil {
		_ = r.file.Close() // nothing was written
	}
	return nil, context.Cause(ctx)
}

// requireResults requires that the log of a pod has the right result of every
// step.
func (s *story) requireResults(pod string, a application) {
	s.Helper()
	lines, err := s.log(s.ctx, pod)
	s.must(err)
	s.requireResultsIn(lines, a)
}

func (s *story) requireResultsIn(lines []string, a application) {
	s.Helper()
	var got, want []string
	for _, line := range lines {
		if strings.HasPrefix(line, "RESULT ") {
			got = append(got, line)
		}
	}
	for step, parts := range a.steps {
		if n := parts * partSize; n > 0 {
			want = append(want, fmt.Sprintf("RESULT %d %d", step, n*(n-1)/2))
		}
	}
	if !slices.Equal(got, want) {
		s.Errorf("the results of %s are %q, want %q", a.name, got, want)
	}
}

// partSize is how many numbers, from 0 on, each part sums up.
const partSize = 100_000
