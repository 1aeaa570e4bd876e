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

// askUI asks for a page of a job's UI by the port that the command forwards.
func (s *story) askUI(job, page string) string {
	s.Helper()
	ctx, stop := context.WithCancel(s.ctx)
	defer stop()
	out, in := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := s.muster(ctx, in, "ui", job)
		_ = in.CloseWithError(io.EOF)
		ended <- err
	}()
	line, err := bufio.NewReader(out).ReadString('\n')
	at := address.FindString(line)
	if at == "" {
		s.Fatalf("muster ui %s says %q (%v), and ends with %v", job, line, err, <-ended)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, at+page, nil)
	s.must(err)
	answer, err := http.DefaultClient.Do(request)
	s.must(err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	s.must(err)
	if answer.StatusCode != http.StatusOK {
		s.Errorf("%s of %s: %s", page, job, answer.Status)
	}
	stop()
	if err := <-ended; err != nil {
		s.Errorf("muster ui %s, when it is interrupted: %v", job, err)
	}
	return string(text)
}
