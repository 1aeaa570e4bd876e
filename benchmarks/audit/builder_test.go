package audit_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"

	"muster.sh/muster/benchmarks/audit"
)

// epoch is second 0 of every log made here.
var epoch = time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)

// second is a time of a log made here.
func second(s float64) time.Time {
	return epoch.Add(time.Duration(s * float64(time.Second)))
}

// logBuilder writes an audit log as an API server would: it keeps the pods and
// answers each request with the object as it then is.
type logBuilder struct {
	t       testing.TB
	now     time.Time
	took    time.Duration
	version int
	pods    map[string]*corev1.Pod
	lines   []string
	agent   string
	user    string
}

func newLog(t testing.TB) *logBuilder {
	return &logBuilder{
		t: t, now: epoch, took: 4 * time.Millisecond, version: 100, pods: map[string]*corev1.Pod{},
		agent: "kubectl/v1.37.2 (linux/amd64) kubernetes/abcdef0", user: "admin",
	}
}

// at sets when the following requests are received.
func (b *logBuilder) at(s float64) *logBuilder {
	b.now = second(s)
	return b
}

// taking sets how long the following requests take.
func (b *logBuilder) taking(d time.Duration) *logBuilder {
	b.took = d
	return b
}

func (b *logBuilder) by(agent, user string) *logBuilder {
	b.agent, b.user = agent, user
	return b
}

// podOption changes a pod before it is created.
type podOption func(*corev1.Pod)

func requests(list string) podOption {
	return func(pod *corev1.Pod) { pod.Spec.Containers[0].Resources.Requests = resources(list) }
}

func labels(pairs ...string) podOption {
	return func(pod *corev1.Pod) {
		pod.Labels = map[string]string{}
		for i := 0; i < len(pairs); i += 2 {
			pod.Labels[pairs[i]] = pairs[i+1]
		}
	}
}

func annotation(key, value string) podOption {
	return func(pod *corev1.Pod) { pod.Annotations = map[string]string{key: value} }
}

func driver(app string) podOption {
	return labels("spark-app-selector", app, "spark-role", "driver")
}

func executor(app string) podOption {
	return labels("spark-app-selector", app, "spark-role", "executor")
}

// resources reads "cpu=1,memory=2Gi".
func resources(list string) corev1.ResourceList {
	out := corev1.ResourceList{}
	for pair := range strings.SplitSeq(list, ",") {
		name, value, _ := strings.Cut(pair, "=")
		out[corev1.ResourceName(name)] = resource.MustParse(value)
	}
	return out
}

// create creates a pod that asks for one CPU unless told otherwise.
func (b *logBuilder) create(name string, options ...podOption) *logBuilder {
	pod := b.newPod(name, options...)
	b.pods[name] = pod
	b.write("create", "", pod.Name, 201, nil, pod)
	return b
}

func (b *logBuilder) newPod(name string, options ...podOption) *corev1.Pod {
	grace := int64(30)
	b.version++
	pod := &corev1.Pod{
		TypeMeta: metav1.TypeMeta{Kind: "Pod", APIVersion: "v1"},
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "ns", Name: name, UID: types.UID(fmt.Sprintf("uid-%s-%d", name, b.version)),
			CreationTimestamp: metav1.NewTime(b.now),
		},
		Spec: corev1.PodSpec{
			SchedulerName:                 "scheduler-on-trial",
			TerminationGracePeriodSeconds: &grace,
			Containers:                    []corev1.Container{{Name: "main"}},
		},
		Status: corev1.PodStatus{Phase: corev1.PodPending},
	}
	requests("cpu=1")(pod)
	for _, option := range options {
		option(pod)
	}
	return pod
}

func (b *logBuilder) pod(name string) *corev1.Pod {
	b.t.Helper()
	pod := b.pods[name]
	if pod == nil {
		b.t.Fatalf("the log has no pod %s yet", name)
	}
	return pod
}

// bind binds a pod, by its UID as kube-scheduler does.
func (b *logBuilder) bind(name, node string) *logBuilder {
	pod := b.pod(name)
	pod.Spec.NodeName = node
	return b.bindAs(name, node, pod.UID)
}

func (b *logBuilder) bindAs(name, node string, uid types.UID) *logBuilder {
	binding := &corev1.Binding{
		TypeMeta:   metav1.TypeMeta{Kind: "Binding", APIVersion: "v1"},
		ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: name, UID: uid},
		Target:     corev1.ObjectReference{Kind: "Node", Name: node},
	}
	status := &metav1.Status{TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: "Success", Code: 201}
	b.write("create", "binding", name, 201, binding, status)
	return b
}

// phase writes a pod's status as its node does.
func (b *logBuilder) phase(name string, phase corev1.PodPhase) *logBuilder {
	pod := b.pod(name)
	pod.Status.Phase = phase
	b.write("patch", "status", name, 200, nil, pod)
	return b
}

// remove asks for a pod's deletion; one that isn't bound is gone at once.
func (b *logBuilder) remove(name string) *logBuilder {
	pod := b.pod(name)
	if pod.Spec.NodeName != "" {
		grace := int64(30)
		deletion := metav1.NewTime(b.now.Add(30 * time.Second))
		pod.DeletionTimestamp, pod.DeletionGracePeriodSeconds = &deletion, &grace
	}
	b.write("delete", "", name, 200, nil, pod)
	return b
}

// evict evicts a pod; the log doesn't show its object then.
func (b *logBuilder) evict(name string) *logBuilder {
	eviction := map[string]any{"kind": "Eviction", "apiVersion": "policy/v1", "metadata": map[string]any{"name": name}}
	b.write("create", "eviction", name, 201, eviction, &metav1.Status{TypeMeta: metav1.TypeMeta{Kind: "Status"}, Code: 201})
	return b
}

// finish is the node's last word on a deleted pod: delete it without grace. The
// answer shows the pod as it was stored.
func (b *logBuilder) finish(name string) *logBuilder {
	now := int64(0)
	b.write("delete", "", name, 200, metav1.DeleteOptions{TypeMeta: metav1.TypeMeta{Kind: "DeleteOptions", APIVersion: "v1"}, GracePeriodSeconds: &now}, b.pod(name))
	delete(b.pods, name)
	return b
}

// node writes a node's status.
func (b *logBuilder) node(name, allocatable string) *logBuilder {
	return b.nodeIs(name, allocatable, corev1.ConditionTrue)
}

func (b *logBuilder) nodeIs(name, allocatable string, ready corev1.ConditionStatus) *logBuilder {
	b.version++
	node := &corev1.Node{
		TypeMeta:   metav1.TypeMeta{Kind: "Node", APIVersion: "v1"},
		ObjectMeta: metav1.ObjectMeta{Name: name, ResourceVersion: fmt.Sprint(b.version)},
		Status: corev1.NodeStatus{
			Allocatable: resources(allocatable),
			Conditions:  []corev1.NodeCondition{{Type: corev1.NodeReady, Status: ready}},
		},
	}
	b.request(auditv1.ObjectReference{Resource: "nodes", Subresource: "status", Name: name}, "patch", 200, nil, node)
	return b
}

func (b *logBuilder) removeNode(name string) *logBuilder {
	b.request(auditv1.ObjectReference{Resource: "nodes", Name: name}, "delete", 200, nil, &metav1.Status{TypeMeta: metav1.TypeMeta{Kind: "Status"}})
	return b
}

// object writes an object of another kind.
func (b *logBuilder) object(verb, group, kind, name string, spec any) *logBuilder {
	b.version++
	object := map[string]any{
		"kind": kind, "apiVersion": group + "/v1",
		"metadata": map[string]any{"namespace": "ns", "name": name, "uid": "uid-" + name, "resourceVersion": fmt.Sprint(b.version)},
		"spec":     spec,
	}
	ref := auditv1.ObjectReference{APIGroup: group, Resource: strings.ToLower(kind) + "s", Namespace: "ns", Name: name}
	b.request(ref, verb, 200, nil, object)
	return b
}

// event writes an Event object's creation, of which the policy keeps no bodies.
func (b *logBuilder) event(name string) *logBuilder {
	b.request(auditv1.ObjectReference{Resource: "events", Namespace: "ns", Name: name}, "create", 201, nil, nil)
	return b
}

// write writes a request on a pod, with the next resource version in the answer.
func (b *logBuilder) write(verb, subresource, name string, code int32, sent, answered any) {
	if pod, ok := answered.(*corev1.Pod); ok {
		b.version++
		pod.ResourceVersion = fmt.Sprint(b.version)
	}
	b.request(auditv1.ObjectReference{Resource: "pods", Namespace: "ns", Name: name, Subresource: subresource}, verb, code, sent, answered)
}

func (b *logBuilder) request(ref auditv1.ObjectReference, verb string, code int32, sent, answered any) {
	event := auditv1.Event{
		TypeMeta:                 metav1.TypeMeta{Kind: "Event", APIVersion: "audit.k8s.io/v1"},
		Level:                    auditv1.LevelRequestResponse,
		Stage:                    auditv1.StageResponseComplete,
		Verb:                     verb,
		RequestURI:               "/api/v1/of-no-interest",
		UserAgent:                b.agent,
		ObjectRef:                &ref,
		ResponseStatus:           &metav1.Status{Code: code},
		RequestReceivedTimestamp: metav1.NewMicroTime(b.now),
		StageTimestamp:           metav1.NewMicroTime(b.now.Add(b.took)),
		RequestObject:            b.body(sent),
		ResponseObject:           b.body(answered),
	}
	event.User.Username = b.user
	line, err := json.Marshal(event)
	if err != nil {
		b.t.Fatal(err)
	}
	b.lines = append(b.lines, string(line))
}

func (b *logBuilder) body(object any) *runtime.Unknown {
	if object == nil {
		return nil
	}
	data, err := json.Marshal(object)
	if err != nil {
		b.t.Fatal(err)
	}
	return &runtime.Unknown{Raw: data, ContentType: runtime.ContentTypeJSON}
}

// refuse writes a request that the API server refused.
func (b *logBuilder) refuse(verb, subresource, name string, sent any) *logBuilder {
	b.write(verb, subresource, name, http.StatusConflict, sent, &metav1.Status{TypeMeta: metav1.TypeMeta{Kind: "Status"}})
	return b
}

// text is the whole log.
func (b *logBuilder) text() string {
	return strings.Join(b.lines, "\n") + "\n"
}

// read gives the log to the auditors.
func (b *logBuilder) read() *audit.Log {
	b.t.Helper()
	log, err := audit.Read(bytes.NewBufferString(b.text()))
	if err != nil {
		b.t.Fatal(err)
	}
	return log
}

func (b *logBuilder) timeline() *audit.Timeline {
	b.t.Helper()
	return b.read().Timeline()
}
