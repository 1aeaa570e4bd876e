package sparkoperator

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kubeflow/spark-operator/v2/api/v1beta2"
	"k8s.io/apimachinery/pkg/util/wait"

	"muster.sh/muster/benchmarks/audit"
	"muster.sh/muster/internal/localcluster"
)

// handedOver begins the names of applications whose operator is killed.
const handedOver = "handed-over"

// quickLease is configuration by which a silent leader is not waited for long.
const quickLease = "leaderElection: {leaseDuration: 4s, renewDeadline: 3s, retryPeriod: 500ms}\n"

// handsOver runs two replicas instead of the cluster's one, and kills the one that leads
// while applications are submitted.
func (s *stage) handsOver(ctx context.Context, t *testing.T) {
	const lease = localcluster.OperatorsComponent
	if err := s.Stop(localcluster.OperatorsComponent); err != nil {
		t.Fatal(err)
	}
	first := s.replica(ctx, t, "first")
	leader, err := s.AwaitLeader(ctx, lease, "")
	if err != nil {
		t.Fatal(err)
	}
	second := s.replica(ctx, t, "second")
	s.tellsMetricsAt(ctx, t, first.metrics)
	s.tellsMetricsAt(ctx, t, second.metrics)

	const apps = 3
	name := func(i int) string { return fmt.Sprintf("%s-%d", handedOver, i) }
	for i := range apps {
		s.create(ctx, t, pi(name(i), nil))
	}
	s.awaitState(ctx, t, name(0), v1beta2.ApplicationStateSubmitted)
	killed := time.Now()
	first.kill(t)
	if _, err := s.AwaitLeader(ctx, lease, leader); err != nil {
		t.Fatal(err)
	}
	s.Excuse(killed)
	for i := range apps {
		app := s.awaitState(ctx, t, name(i), v1beta2.ApplicationStateCompleted)
		if app.Status.SubmissionAttempts != 1 {
			t.Errorf("%s was submitted %d times", app.Name, app.Status.SubmissionAttempts)
		}
	}
	second.kill(t)
	if err := s.Start(ctx, localcluster.OperatorsComponent); err != nil {
		t.Fatal(err)
	}
}

// requireOnce makes sure that no driver was created twice while operators changed.
func requireOnce(t *testing.T, tl *audit.Timeline) {
	t.Helper()
	times := map[string]int{}
	for _, pod := range tl.Pods {
		if strings.HasPrefix(pod.Name, handedOver) && strings.HasSuffix(pod.Name, "-driver") {
			times[pod.Name]++
		}
	}
	for name, n := range times {
		if n != 1 {
			t.Errorf("%s was created %d times", name, n)
		}
	}
}

// replica is one of several processes of muster-operators.
type replica struct {
	*exec.Cmd
	metrics int
}

// replica starts one with the rights of the cluster's own, and waits until it is ready.
func (s *stage) replica(ctx context.Context, t *testing.T, name string) *replica {
	t.Helper()
	config := filepath.Join(t.TempDir(), "operators.yaml")
	if err := os.WriteFile(config, []byte(operatorsConfig+quickLease), 0o600); err != nil {
		t.Fatal(err)
	}
	command, err := s.Command(localcluster.OperatorsComponent)
	if err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(t.ArtifactDir(), name+".log"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = log.Close() }() // the process has its own
	r, health := &replica{metrics: freePort(t)}, freePort(t)
	r.Cmd = exec.CommandContext(ctx, command[0], append(command[1:],
		"--leader-elect=true", "--config="+config, fmt.Sprintf("--secure-port=%d", r.metrics), fmt.Sprintf("--health-port=%d", health))...)
	r.Stdout, r.Stderr = log, log
	if err := r.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.kill(t) })
	for _, path := range []string{"/readyz", "/healthz"} {
		err := wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, time.Minute, true, func(ctx context.Context) (bool, error) {
			_, err := get(ctx, fmt.Sprintf("http://127.0.0.1:%d%s", health, path), "")
			return err == nil, nil
		})
		if err != nil {
			t.Fatalf("%s replica: %s: %v", name, path, err)
		}
	}
	return r
}

// kill ends a replica without warning, unless it has ended.
func (r *replica) kill(t *testing.T) {
	t.Helper()
	if r.ProcessState != nil {
		return
	}
	if err := r.Process.Kill(); err != nil {
		t.Error(err)
	}
	_ = r.Wait() // it was killed
}

func freePort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().(*net.TCPAddr).Port
}
