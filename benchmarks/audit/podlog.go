package audit

import (
	"encoding/json"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/component-helpers/resource"
)

// podRecord is a pod while the log is being read. Each milestone keeps its
// earliest moment, so that the order of records doesn't matter.
type podRecord struct {
	Pod
	known    bool   // its object was seen, not only its name
	version  uint64 // of the newest object seen
	seen     time.Time
	appeared time.Time // its creation time stamp, of one second's resolution
	shown    Moment    // first seen with a node
	shownOn  string
	noGrace  bool // deletion is immediate: terminationGracePeriodSeconds is 0
}

// podName names a pod without saying which of its incarnations.
type podName struct {
	namespace, name string
}

// namedChange is something that happened to a pod known by name alone; it is
// matched with the incarnation of that time when the log has been read.
type namedChange struct {
	kind namedKind
	at   Moment
	node string // podBound
}

type namedKind int

// In the order in which changes of the same instant apply.
const (
	podBound namedKind = iota
	podDeleting
	podGone
	podAbsent // a request found no such pod
)

// podObject is the part of a pod that every record of it is read for; its spec
// is decoded in full only the first time.
type podObject struct {
	Kind              string `json:"kind"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              json.RawMessage `json:"spec"`
	Status            struct {
		Phase corev1.PodPhase `json:"phase"`
	} `json:"status"`

	nodeName string
}

func decodePod(data json.RawMessage) (*podObject, bool) {
	var pod podObject
	if len(data) == 0 || json.Unmarshal(data, &pod) != nil || pod.Kind != "" && pod.Kind != "Pod" || pod.UID == "" {
		return nil, false
	}
	var spec struct {
		NodeName string `json:"nodeName"`
	}
	if len(pod.Spec) > 0 && json.Unmarshal(pod.Spec, &spec) != nil {
		return nil, false
	}
	pod.nodeName = spec.NodeName
	return &pod, true
}

// addPodWrite folds a successful write of a pod.
func (l *Log) addPodWrite(r *request) {
	switch {
	case r.resource == "bindings" || r.subresource == "binding":
		l.addBinding(r)
	case r.subresource == "eviction":
		l.addEviction(r)
	case r.verb == "deletecollection":
		l.addPodListDeletion(r)
	default:
		pod, ok := decodePod(r.answered)
		switch {
		case ok && r.verb == "delete":
			l.podDeleted(pod, graceAsked(r.sent), r.at)
		case ok:
			l.sawPod(pod, r.at)
			if r.verb == "create" || r.code == 201 { // 201: created by a server-side apply
				record := l.pods[pod.UID]
				record.Created = earliest(record.Created, r.at)
			}
		case r.verb == "delete":
			l.deletedByName(r)
		default:
			l.bodiless++
		}
	}
}

// sawPod folds what a pod's object shows.
func (l *Log) sawPod(pod *podObject, at Moment) {
	record := l.pods[pod.UID]
	if record == nil {
		record = &podRecord{Pod: Pod{UID: pod.UID}}
		l.pods[pod.UID] = record
	}
	if !record.known {
		record.known = true
		record.Namespace, record.Name = pod.Namespace, pod.Name
		record.learnSpec(pod.Spec)
	}
	if version := versionNumber(pod.ResourceVersion); version >= record.version {
		record.version = version
		record.Labels, record.Annotations = pod.Labels, pod.Annotations
		if owner := metav1.GetControllerOfNoCopy(&pod.ObjectMeta); owner != nil {
			record.Owner = *owner
		}
	}
	record.seen = later(record.seen, at.By)
	if record.appeared.IsZero() {
		record.appeared = pod.CreationTimestamp.Time
	}
	if pod.nodeName != "" {
		record.shown = earliest(record.shown, at)
		record.shownOn = pod.nodeName
	}
	record.sawPhase(pod.Status.Phase, at)
	if pod.DeletionTimestamp != nil {
		record.Deleting = earliest(record.Deleting, at)
	}
	if removedLastFinalizer(pod) {
		record.Gone = earliest(record.Gone, at)
	}
}

func (p *podRecord) learnSpec(data json.RawMessage) {
	pod := corev1.Pod{}
	if len(data) == 0 || json.Unmarshal(data, &pod.Spec) != nil {
		p.known = false
		return
	}
	p.Scheduler = pod.Spec.SchedulerName
	p.Requests = resource.PodRequests(&pod, resource.PodResourcesOptions{})
	grace := pod.Spec.TerminationGracePeriodSeconds
	p.noGrace = grace != nil && *grace == 0
}

func (p *podRecord) sawPhase(phase corev1.PodPhase, at Moment) {
	switch phase {
	case corev1.PodRunning:
		p.Running = earliest(p.Running, at)
	case corev1.PodSucceeded, corev1.PodFailed:
		p.Ended = earliest(p.Ended, at)
		p.Phase = phase
	}
}

// removedLastFinalizer tells that an update was the last one: the pod was being
// deleted, had no grace left, and nothing holds it any more.
func removedLastFinalizer(pod *podObject) bool {
	return pod.DeletionTimestamp != nil && len(pod.Finalizers) == 0 &&
		pod.DeletionGracePeriodSeconds != nil && *pod.DeletionGracePeriodSeconds == 0
}

// podDeleted folds a deletion. The answer to an immediate one is the pod as it
// was stored before, so whether it is gone is read from the request, from the
// missing deletion time stamp, and from the states that the API server grants no
// grace: never bound, and ended.
func (l *Log) podDeleted(pod *podObject, grace *int64, at Moment) {
	l.sawPod(pod, at)
	record := l.pods[pod.UID]
	record.Deleting = earliest(record.Deleting, at)
	immediate := grace != nil && *grace == 0 ||
		pod.DeletionTimestamp == nil ||
		pod.nodeName == "" ||
		pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
	if immediate && len(pod.Finalizers) == 0 {
		record.Gone = earliest(record.Gone, at)
	}
}

func (l *Log) addPodListDeletion(r *request) {
	var list struct {
		Items []json.RawMessage `json:"items"`
	}
	if json.Unmarshal(r.answered, &list) != nil || len(r.answered) == 0 {
		l.bodiless++
		return
	}
	grace := graceAsked(r.sent)
	for _, item := range list.Items {
		pod, ok := decodePod(item)
		if !ok {
			l.bodiless++
			continue
		}
		// The list shows the pods as they were before: a missing deletion time
		// stamp says nothing here.
		if pod.DeletionTimestamp == nil {
			pod.DeletionTimestamp = &metav1.Time{Time: r.at.By}
		}
		if grace == nil && l.pods[pod.UID] != nil && l.pods[pod.UID].noGrace {
			grace = new(int64)
		}
		l.podDeleted(pod, grace, r.at)
	}
}

func (l *Log) deletedByName(r *request) {
	kind := podDeleting
	if grace := graceAsked(r.sent); grace != nil && *grace == 0 {
		kind = podGone
	}
	l.nameChange(podName{r.namespace, r.name}, namedChange{kind: kind, at: r.at})
}

func (l *Log) addBinding(r *request) {
	var binding corev1.Binding
	if json.Unmarshal(r.sent, &binding) != nil || binding.Target.Name == "" {
		l.bodiless++
		return
	}
	name := r.name
	if name == "" {
		name = binding.Name
	}
	uid := binding.UID
	if uid == "" {
		l.nameChange(podName{r.namespace, name}, namedChange{kind: podBound, at: r.at, node: binding.Target.Name})
		return
	}
	record := l.pods[uid]
	if record == nil { // bound before its creation was written down
		record = &podRecord{Pod: Pod{UID: uid, Namespace: r.namespace, Name: name}}
		l.pods[uid] = record
	}
	record.bind(binding.Target.Name, r.at)
}

func (p *podRecord) bind(node string, at Moment) {
	p.Bound = earliest(p.Bound, at)
	p.Node = node
}

func (l *Log) addEviction(r *request) {
	var eviction policyv1.Eviction
	change := namedChange{kind: podDeleting, at: r.at}
	if json.Unmarshal(r.sent, &eviction) == nil && eviction.DeleteOptions != nil &&
		eviction.DeleteOptions.GracePeriodSeconds != nil && *eviction.DeleteOptions.GracePeriodSeconds == 0 {
		change.kind = podGone
	}
	l.nameChange(podName{r.namespace, r.name}, change)
}

// nameChange keeps a change for later.
func (l *Log) nameChange(name podName, change namedChange) {
	l.named[name] = append(l.named[name], change)
}

func graceAsked(sent json.RawMessage) *int64 {
	var options metav1.DeleteOptions
	if len(sent) == 0 || json.Unmarshal(sent, &options) != nil {
		return nil
	}
	return options.GracePeriodSeconds
}
