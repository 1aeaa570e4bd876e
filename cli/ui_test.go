package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	sparkv1beta2 "github.com/kubeflow/spark-operator/v2/api/v1beta2"
	kubeflow "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/rest"
	clienttesting "k8s.io/client-go/testing"
	streaming "k8s.io/cri-streaming/pkg/streaming/portforward"
)

func TestOnlyARunningDriverHasAUI(t *testing.T) {
	pi := spark.job(&sparkv1beta2.SparkApplication{ObjectMeta: metav1.ObjectMeta{Name: "pi"}})
	over := &sparkv1beta2.SparkApplication{ObjectMeta: metav1.ObjectMeta{Name: "pi"}}
	over.Status.AppState.State = sparkv1beta2.ApplicationStateCompleted
	over.Status.DriverInfo.WebUIAddress = "10.0.0.1:4040"
	told := over.DeepCopy()
	told.Status.DriverInfo.WebUIAddress = "https://history/history/spark-1/"
	train := tensorflow.job(&kubeflow.TFJob{ObjectMeta: metav1.ObjectMeta{Name: "train"}})
	driver := func(phase corev1.PodPhase, ports ...corev1.ContainerPort) corev1.Pod {
		return corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: "pi-driver", Labels: map[string]string{"spark-role": "driver"}},
			Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "sidecar"}, {Name: "spark", Ports: ports}}},
			Status:     corev1.PodStatus{Phase: phase},
		}
	}
	rpc, ui := corev1.ContainerPort{Name: "driver-rpc-port", ContainerPort: 7078}, corev1.ContainerPort{Name: "spark-ui", ContainerPort: 4041}
	for name, c := range map[string]struct {
		job  job
		pods []corev1.Pod
		want string // of the error; none where there is a UI
	}{
		"a driver that runs":        {pi, []corev1.Pod{driver(corev1.PodRunning, rpc, ui)}, ""},
		"a driver that waits":       {pi, []corev1.Pod{driver(corev1.PodPending, rpc, ui)}, "while its driver runs: pod pi-driver is Pending"},
		"a driver without the port": {pi, []corev1.Pod{driver(corev1.PodRunning, rpc)}, "pod pi-driver has no port named spark-ui"},
		"no driver":                 {pi, nil, "spark/pi has no pods: it is NEW"},
		"a driver that is over":     {spark.job(over), []corev1.Pod{driver(corev1.PodSucceeded, ui)}, "while its driver runs: pod pi-driver is Succeeded"},
		"a driver with a history":   {spark.job(told), []corev1.Pod{driver(corev1.PodSucceeded, ui)}, "spark/pi is COMPLETED; what it did is told at https://history/history/spark-1/"},
		"one whose pod lags behind": {spark.job(over), []corev1.Pod{driver(corev1.PodRunning, ui)}, "while its driver runs: it is COMPLETED"},
		"and one with a history":    {spark.job(told), []corev1.Pod{driver(corev1.PodRunning, ui)}, "is told at https://history/history/spark-1/"},
		"another kind":              {train, nil, "tf/train has no UI; SparkApplications have one"},
	} {
		t.Run(name, func(t *testing.T) {
			pod, port, err := c.job.ui(c.pods)
			switch {
			case c.want == "" && (err != nil || pod.Name != "pi-driver" || port != 4041):
				t.Errorf("it is at port %d of %v, %v", port, pod, err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// TestTheEndOfADriverIsSeen has something happen to a pod while it is watched.
func TestTheEndOfADriverIsSeen(t *testing.T) {
	driver := func(change func(*corev1.Pod)) *corev1.Pod {
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "a", Name: "pi-driver", UID: "1"}}
		pod.Status.Phase = corev1.PodRunning
		if change != nil {
			change(pod)
		}
		return pod
	}
	ended := driver(func(p *corev1.Pod) { p.Status.Phase = corev1.PodFailed })
	another := driver(func(p *corev1.Pod) { p.UID = "2" })
	for name, c := range map[string]struct {
		there   *corev1.Pod // when it is looked for; nil if it is gone
		happens []*corev1.Pod
	}{
		"it is gone already":        {nil, nil},
		"it has ended already":      {ended, nil},
		"another has its name":      {another, nil},
		"it ends":                   {driver(nil), []*corev1.Pod{ended}},
		"it is changed, and ends":   {driver(nil), []*corev1.Pod{driver(func(p *corev1.Pod) { p.Labels = map[string]string{"a": "b"} }), ended}},
		"it makes room for another": {driver(nil), []*corev1.Pod{another}},
	} {
		t.Run(name, func(t *testing.T) {
			pods := fake.NewClientset()
			if c.there != nil {
				pods = fake.NewClientset(c.there)
			}
			// What happens does so as soon as somebody watches.
			pods.PrependWatchReactor("pods", func(clienttesting.Action) (bool, watch.Interface, error) {
				changes := watch.NewFakeWithChanSize(1, false)
				if err := pods.Tracker().Update(corev1.SchemeGroupVersion.WithResource("pods"), c.happens[0], "a"); err != nil {
					return true, nil, err
				}
				changes.Modify(c.happens[0])
				c.happens = c.happens[1:]
				return true, changes, nil
			})
			if err := (&cluster{pods: pods}).awaitEnd(t.Context(), driver(nil)); err != nil || len(c.happens) > 0 {
				t.Errorf("it ends with %v, before %v", err, c.happens)
			}
		})
	}
}

func TestWhoMayNotWatchHearsOfNoEnd(t *testing.T) {
	refused := errors.New("refused")
	pods := fake.NewClientset(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "a", Name: "pi-driver"}})
	pods.PrependWatchReactor("pods", func(clienttesting.Action) (bool, watch.Interface, error) { return true, nil, refused })
	err := (&cluster{pods: pods}).awaitEnd(t.Context(), &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "a", Name: "pi-driver"}})
	if !errors.Is(err, refused) {
		t.Errorf("error %v", err)
	}
}

// page answers one request on a forwarded connection, in the place of a driver.
type page struct{}

func (page) PortForward(_ context.Context, name, _ string, port int32, stream io.ReadWriteCloser) error {
	defer stream.Close()
	if _, err := http.ReadRequest(bufio.NewReader(stream)); err != nil {
		return err
	}
	text := fmt.Sprintf("port %d of %s", port, name)
	_, err := fmt.Fprintf(stream, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", len(text), text)
	return err
}

// TestThePortIsForwarded asks through a forwarded port. The server knows SPDY alone.
func TestThePortIsForwarded(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
			http.Error(w, "SPDY alone", http.StatusBadRequest)
			return
		}
		streaming.ServePortForward(w, r, page{}, "pi-driver", "", &streaming.V4Options{}, time.Minute, time.Minute, []string{"portforward.k8s.io"})
	}))
	defer server.Close()
	to, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	f := forwarding{config: &rest.Config{Host: server.URL}, to: to, remote: 4040, complaints: t.Output()}
	asked := false
	err = f.run(ctx, func(at string) {
		defer cancel()
		asked = true
		answer, err := http.Get(at)
		if err != nil {
			t.Error(err)
			return
		}
		defer answer.Body.Close()
		if text, err := io.ReadAll(answer.Body); err != nil || string(text) != "port 4040 of pi-driver" {
			t.Errorf("got %q, %v", text, err)
		}
	})
	if err != nil || !asked {
		t.Errorf("it ends with %v, and was asked: %v", err, asked)
	}
}

func TestWhatCannotBeForwardedIsAnError(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	to, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	f := forwarding{config: &rest.Config{Host: server.URL}, to: to, remote: 4040, complaints: t.Output()}
	if err := f.run(t.Context(), func(at string) { t.Errorf("it listens at %s", at) }); err == nil {
		t.Error("no error")
	}
}
