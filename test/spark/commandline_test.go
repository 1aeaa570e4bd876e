package spark

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"regexp"
	"strings"

	"muster.sh/muster/cli"
)

// muster runs the command, which is to end with the context, and returns how it has.
func (s *story) muster(ctx context.Context, out io.Writer, args ...string) error {
	root := cli.NewRoot("muster")
	root.SetArgs(append([]string{"--kubeconfig", s.Kubeconfig(), "--namespace", namespace}, args...))
	root.SetOut(out)
	root.SetErr(s.Output())
	return root.ExecuteContext(ctx)
}

// follow has the command print the log of a job to its end, and returns what waits for
// that and returns the log.
func (s *story) follow(job string) (read func() []string) {
	var out bytes.Buffer
	ended := make(chan error, 1)
	go func() { ended <- s.muster(s.ctx, &out, "logs", "--follow", job) }()
	return func() []string {
		s.Helper()
		s.must(<-ended)
		return strings.Split(out.String(), "\n")
	}
}

// requireSays requires that the command prints something.
func (s *story) requireSays(want string, args ...string) {
	s.Helper()
	var out bytes.Buffer
	if err := s.muster(s.ctx, &out, args...); err != nil || !strings.Contains(out.String(), want) {
		s.Errorf("muster %s: %v, and prints\n%s\nwant %q", strings.Join(args, " "), err, tail(strings.Split(out.String(), "\n"), 25), want)
	}
}

var address = regexp.MustCompile(`http://127\.0\.0\.1:\d+`)

// openUI has the command forward a port to the UI of a job. It returns where the UI is,
// and what waits for the end of the command, which is to be that of the driver.
func (s *story) openUI(job string) (at string, awaitEnd func()) {
	s.Helper()
	out, in := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := s.muster(s.ctx, in, "ui", job)
		_ = in.Close()
		ended <- err
	}()
	said := bufio.NewReader(out)
	line, err := said.ReadString('\n')
	if at = address.FindString(line); at == "" {
		s.Fatalf("muster ui %s says %q (%v), and ends with %v", job, line, err, <-ended)
	}
	return at, func() {
		s.Helper()
		rest, err := io.ReadAll(said)
		s.must(err)
		s.must(<-ended)
		if !strings.Contains(string(rest), "has ended") {
			s.Errorf("muster ui %s says %q at the end", job, rest)
		}
	}
}

// page is one that is asked for from here.
func (s *story) page(url string) string {
	s.Helper()
	request, err := http.NewRequestWithContext(s.ctx, http.MethodGet, url, nil)
	s.must(err)
	answer, err := http.DefaultClient.Do(request)
	s.must(err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	s.must(err)
	if answer.StatusCode != http.StatusOK {
		s.Errorf("%s: %s", url, answer.Status)
	}
	return string(text)
}
