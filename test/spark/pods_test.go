package spark

import (
	"context"
	"fmt"
	"io"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/remotecommand"

	"muster.sh/muster/internal/sparkdist"
	"muster.sh/muster/test/testcluster"
)

// appNameLabel is where Spark puts the name of the application.
const appNameLabel = "spark-app-name"

func inNamespace(pod *corev1.Pod) bool { return pod.Namespace == namespace }

// of matches the pods of an application.
func of(a application) func(*corev1.Pod) bool {
	return func(pod *corev1.Pod) bool { return inNamespace(pod) && pod.Labels[appNameLabel] == a.name }
}

// alive matches pods that have not ended and are not about to.
func alive(pod *corev1.Pod) bool { return !testcluster.Ended(pod) && pod.DeletionTimestamp == nil }

// executors are the living executors of an application that match.
func (s *stage) executors(a application, matches func(*corev1.Pod) bool) []*corev1.Pod {
	return s.Pods.List(testcluster.And(of(a), testcluster.IsExecutor, alive, matches))
}

// await waits until a condition holds; it is asked with every change of any pod.
func (s *story) await(what string, holds func() bool) {
	s.Helper()
	s.must(s.Pods.Await(s.ctx, what, func([]*corev1.Pod) bool { return holds() }))
}

// awaitDriver waits until the driver of an application is as it should be.
func (s *story) awaitDriver(a application, what string, is func(*corev1.Pod) bool) *corev1.Pod {
	s.Helper()
	var driver *corev1.Pod
	s.await("the driver of "+a.name+" "+what, func() bool {
		found := s.Pods.List(testcluster.And(of(a), testcluster.IsDriver, is))
		if len(found) == 1 {
			driver = found[0]
		}
		return driver != nil
	})
	return driver
}

// awaitRunning waits until so many executors run, no more and no less.
func (s *story) awaitRunning(a application, n int) []*corev1.Pod {
	s.Helper()
	var running []*corev1.Pod
	s.await(fmt.Sprintf("%d executors of %s run", n, a.name), func() bool {
		running = s.executors(a, testcluster.Running)
		return len(running) == n && len(s.executors(a, anyPod)) == n
	})
	return running
}

func anyPod(*corev1.Pod) bool { return true }

// succeed waits until an application has finished, and requires that it has
// finished well.
func (s *story) succeed(a application) {
	s.Helper()
	driver := s.awaitDriver(a, "has ended", testcluster.Ended)
	if !testcluster.Succeeded(driver) {
		s.Fatalf("the driver of %s has failed: %s", a.name, driver.Status.Message)
	}
	s.requireResults(driver.Name, a)
}

// waits matches pods of which the scheduler says that they wait for room.
func waits(pod *corev1.Pod) bool {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Reason == corev1.PodReasonUnschedulable && pod.Spec.NodeName == "" {
			return true
		}
	}
	return false
}

func waitingReason(pod *corev1.Pod) string {
	if !waits(pod) {
		return "does not wait"
	}
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodScheduled {
			return "waits: " + c.Message
		}
	}
	return ""
}

// deleteAtOnce deletes a pod as kubectl delete --force does.
func (s *story) deleteAtOnce(pod *corev1.Pod) {
	s.Helper()
	now := int64(0)
	s.must(s.Client().CoreV1().Pods(pod.Namespace).Delete(s.ctx, pod.Name, metav1.DeleteOptions{
		GracePeriodSeconds: &now, Preconditions: metav1.NewUIDPreconditions(string(pod.UID)),
	}))
}

// execute runs a command in a pod and returns what it prints. Its status is not asked
// for: one that kills its own container has none.
func (s *story) execute(pod *corev1.Pod, command ...string) (printed string) {
	s.Helper()
	request := s.Client().CoreV1().RESTClient().Post().Resource("pods").Namespace(pod.Namespace).Name(pod.Name).
		SubResource("exec").VersionedParams(&corev1.PodExecOptions{Command: command, Stdout: true, Stderr: true}, scheme.ParameterCodec)
	executor, err := remotecommand.NewWebSocketExecutor(s.RESTConfig(), "GET", request.URL().String())
	s.must(err)
	var out strings.Builder
	if err := executor.StreamWithContext(s.ctx, remotecommand.StreamOptions{Stdout: &out, Stderr: s.Output()}); err != nil {
		s.Logf("%s in %s: %v", command, pod.Name, err)
	}
	return out.String()
}

// requireArchive requires that the JVMs of pods take their classes from the image's
// archive: Java goes without in silence, and then takes far more of the CPU.
func (s *story) requireArchive(pods ...*corev1.Pod) {
	s.Helper()
	for _, pod := range pods {
		if s.execute(pod, "sh", "-c", "grep -l "+sparkdist.ClassArchive+" /proc/*/maps") == "" {
			s.Errorf("no JVM of %s uses %s", pod.Name, sparkdist.ClassArchive)
		}
	}
}

// log returns the lines that a pod has written.
func (s *stage) log(ctx context.Context, pod string) ([]string, error) {
	stream, err := s.Client().CoreV1().Pods(namespace).GetLogs(pod, &corev1.PodLogOptions{}).Stream(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the log of %s: %w", pod, err)
	}
	defer stream.Close()
	text, err := io.ReadAll(stream)
	if err != nil {
		return nil, fmt.Errorf("read the log of %s: %w", pod, err)
	}
	return strings.Split(string(text), "\n"), nil
}

func tail(lines []string, n int) string { return strings.Join(lines[max(0, len(lines)-n):], "\n") }
