package cli

import (
	"bufio"
	"context"
	"io"
	"strings"
	"testing"

	sparkv1beta2 "github.com/kubeflow/spark-operator/v2/api/v1beta2"
	kubeflow "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
)

func TestWhatBecomesOfJobsIsShownUntilItIsInterrupted(t *testing.T) {
	known, err := newScheme()
	if err != nil {
		t.Fatal(err)
	}
	app := &sparkv1beta2.SparkApplication{ObjectMeta: metav1.ObjectMeta{Namespace: "a", Name: "pi"}}
	objects := fake.NewClientBuilder().WithScheme(known).WithObjects(app).WithStatusSubresource(app).Build()
	c := &cluster{WithWatch: objects, namespace: "a"}
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	read, write := io.Pipe()
	ended := make(chan error)
	go func() { ended <- c.watchJobs(ctx, write, "") }()

	lines := bufio.NewScanner(read)
	await := func(want string) {
		t.Helper()
		for lines.Scan() {
			if strings.HasPrefix(lines.Text(), want) {
				return
			}
		}
		t.Fatalf("no line begins with %q", want)
	}
	await("JOB  QUEUE  STATE  PODS  PROGRESS  REASON")
	await("spark/pi  -  NEW  0/2")
	app.Status.AppState = sparkv1beta2.ApplicationState{State: sparkv1beta2.ApplicationStateFailed, ErrorMessage: "no such image"}
	if err := objects.Status().Update(ctx, app); err != nil {
		t.Fatal(err)
	}
	await("spark/pi  -  FAILED  -  -  no such image")
	if err := objects.Create(ctx, &kubeflow.TFJob{ObjectMeta: metav1.ObjectMeta{Namespace: "a", Name: "train"}}); err != nil {
		t.Fatal(err)
	}
	await("tf/train  ")
	interrupt()
	if err := <-ended; err != nil {
		t.Errorf("it ends with %v", err)
	}
	if err := c.watchJobs(t.Context(), io.Discard, "json"); err == nil || !strings.Contains(err.Error(), "leave -o json out") {
		t.Errorf("a document that goes on is shown: %v", err)
	}
}
