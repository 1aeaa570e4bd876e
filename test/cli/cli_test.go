// Package cli tells that jobs are submitted, seen and ended by the command muster.
package cli

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"muster.sh/muster/cli"
	"muster.sh/muster/internal/localcluster"
	"muster.sh/muster/test/testcluster"
)

const guide = "../../docs/cli.md"

// story is a cluster, and somebody with a command line.
type story struct {
	*testing.T
	*testcluster.Cluster
	ctx context.Context
	in  string
}

func TestJobsByTheCommandLine(t *testing.T) {
	ctx, c := testcluster.Start(t, testcluster.Spec{
		Scheduler: testcluster.Muster, Nodes: 4, Shape: "cpu=4,memory=16Gi", Operators: true,
	})
	c.PlaySpark(ctx, t)
	s := &story{T: t, Cluster: c, ctx: ctx}

	s.says("there are no jobs", "jobs")
	s.in = example(t)
	s.says("tf/train submitted", "submit", "tf", "-f", "-")
	s.runs("train-", 3)
	s.says("tf/train  -      Running  3/3", "jobs")
	s.says("worker-1  train-worker-1  Running", "status", "train")
	s.says("tf/train suspended", "suspend", "train")
	s.runs("train-", 0)
	s.says("tf/train resumed", "resume", "train")
	s.runs("train-", 3)

	pi := []string{
		"submit", "spark", "--image", "docker.io/library/spark:4.0.4", "--num-executors", "2", "--executor-memory", "512m",
		"--class", "org.apache.spark.examples.SparkPi", "--conf", "spark.muster.simulated.duration=1h", "--name", "pi",
	}
	s.says("spark/pi submitted", append(pi, "local:///opt/spark/examples/jars/spark-examples.jar", "1000")...)
	s.runs("pi-", 3)
	s.says("executor-2", "status", "spark/pi")
	s.says("spark/etl COMPLETED", "submit", "spark", "--wait", "--image", "spark:4.0.4", "--num-executors", "1",
		"--conf", "spark.muster.simulated.duration=1s", "--name", "etl", "--class", "A", "local:///app.jar")
	s.fails("pi can't have two drivers, as its name is taken", "already exists", append(pi, "local:///app.jar")...)

	s.says("spark/big submitted", "submit", "spark", "--image", "spark:4.0.4", "--num-executors", "40", "--name", "big", "--class", "A", "local:///app.jar")
	s.waits("big-driver")
	s.says("Waits             larger than the whole cluster: ", "status", "big")
	s.says("driver  big-driver  Pending", "status", "big")
	scheduler := s.scheduler()
	s.says("Verdict  TooBig: larger than the whole cluster: ", append([]string{"explain", "big"}, scheduler...)...)
	s.says("sim-0000", append([]string{"explain", "tf/train"}, scheduler...)...)
	s.fails("a gang that is not there has no verdict", "the scheduler knows no gang nobody in namespace default", append([]string{"explain", "nobody"}, scheduler...)...)
	s.says("default  Open", append([]string{"queues"}, scheduler...)...)
	s.says("default  ", append([]string{"top"}, scheduler...)...)
	s.says("name: default", append([]string{"top", "-o", "yaml"}, scheduler...)...)
	s.fails("a certificate is no token", "it knows callers by their token", append([]string{"top"}, scheduler[:3]...)...)
	s.fails("who names no scheduler is told how", "name the scheduler with --scheduler", "queues")
	s.fails("a certificate of its own is not trusted unasked", "certificate", "queues", "--scheduler", scheduler[1])

	s.fails("a driver that does not run serves no pages", "spark/big has a UI while its driver runs: pod big-driver is Pending", "ui", "big")
	s.fails("a driver that does not run has no log", "pod big-driver does not run yet: larger than the whole cluster", "logs", "big")

	s.in = strings.ReplaceAll(example(t), "name: train", "name: pi")
	s.says("tf/pi submitted", "submit", "tf", "-f", "-")
	s.fails("a name may mean two jobs", "there are a SparkApplication and a TFJob pi; say spark/pi or tf/pi", "kill", "pi")
	s.says("tf/pi killed", "kill", "tf/pi", "spark/pi", "big")
	s.runs("pi-", 0)
	s.fails("what is gone is not there", "there is no job pi in namespace default", "status", "pi")
	s.fails("a kind that is not there is none", "there is no kind job of jobs; say spark/pi or tf/pi", "status", "job/pi")
	s.says("default    tf/train", "jobs", "-A")
	s.says("kind: TFJob", "jobs", "-o", "yaml")
	s.fails("a TFJob serves no pages", "tf/train has no UI; SparkApplications have one", "ui", "train")
	c.RequireNoFault(t, 0)
}

// example is the manifest that the guide shows.
func example(t *testing.T) string {
	t.Helper()
	text, err := yaml.Marshal(testcluster.Examples(t, guide, "TFJob")[0].Object)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// waits waits until a pod says why it is not scheduled.
func (s *story) waits(pod string) {
	s.Helper()
	err := s.Pods.Await(s.ctx, pod+" is told why it waits", func(all []*corev1.Pod) bool {
		return testcluster.Count(all, func(p *corev1.Pod) bool {
			return p.Name == pod && slices.ContainsFunc(p.Status.Conditions, func(c corev1.PodCondition) bool { return c.Type == corev1.PodScheduled })
		}) == 1
	})
	if err != nil {
		s.Fatal(err)
	}
}

// scheduler is how the command reaches the scheduler.
func (s *story) scheduler() []string {
	s.Helper()
	state, err := localcluster.ReadState(s.Dir())
	if err != nil {
		s.Fatal(err)
	}
	if err := s.Apply(s.ctx, testcluster.Examples(s.T, "../../docs/api.md", "ClusterRole", "ClusterRoleBinding", "ServiceAccount", "RoleBinding")...); err != nil {
		s.Fatal(err)
	}
	token, err := s.Client().CoreV1().ServiceAccounts(testcluster.Namespace).CreateToken(s.ctx, "analyst", &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		s.Fatal(err)
	}
	return []string{
		"--scheduler", fmt.Sprintf("https://127.0.0.1:%d", state.Ports[testcluster.MusterComponent]), "--scheduler-insecure",
		"--token", token.Status.Token,
	}
}

// muster runs the command.
func (s *story) muster(args []string) (string, error) {
	var out bytes.Buffer
	root := cli.NewRoot("muster")
	root.SetArgs(append([]string{"--kubeconfig", s.Kubeconfig()}, args...))
	root.SetIn(strings.NewReader(s.in))
	root.SetOut(&out)
	err := root.ExecuteContext(s.ctx)
	return out.String(), err
}

// says runs the command, which must print something.
func (s *story) says(want string, args ...string) {
	s.Helper()
	if got, err := s.muster(args); err != nil || !strings.Contains(got, want) {
		s.Fatalf("muster %s: %v, and prints\n%swant %q", strings.Join(args, " "), err, got, want)
	}
}

// fails runs the command, which must not succeed.
func (s *story) fails(because, want string, args ...string) {
	s.Helper()
	if out, err := s.muster(args); err == nil || !strings.Contains(err.Error(), want) {
		s.Fatalf("%s: muster %s: %v, want %q; it prints\n%s", because, strings.Join(args, " "), err, want, out)
	}
}

// runs waits until so many pods run whose names begin so, and no other is there.
func (s *story) runs(prefix string, pods int) {
	s.Helper()
	has := func(p *corev1.Pod) bool { return strings.HasPrefix(p.Name, prefix) }
	err := s.Pods.Await(s.ctx, prefix+" runs", func(all []*corev1.Pod) bool {
		return testcluster.Count(all, testcluster.And(has, testcluster.Running)) == pods && testcluster.Count(all, has) == pods
	})
	if err != nil {
		s.Fatal(err)
	}
}
