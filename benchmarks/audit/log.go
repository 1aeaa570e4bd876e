package audit

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"
)

// Log is an audit log (or a watch) folded into what the auditors need; the
// records themselves are not kept, so its size grows with the number of pods and
// not with the number of records. Use [Open], [Read], or [New] with
// [Log.Observe]; it is not safe for concurrent use.
type Log struct {
	pods    map[types.UID]*podRecord
	named   map[podName][]namedChange
	nodes   map[string]*nodeRecord
	objects map[objectKey]*objectRecord
	writes  *writeLog

	outages    []Span
	start, end time.Time

	damaged   int // lines that are no record
	truncated int // records cut off by the end of the log or of the server
	bodiless  int // writes of pods or nodes whose object was not recorded
}

// New returns an empty log.
func New() *Log {
	return &Log{
		pods:    map[types.UID]*podRecord{},
		named:   map[podName][]namedChange{},
		nodes:   map[string]*nodeRecord{},
		objects: map[objectKey]*objectRecord{},
		writes:  newWriteLog(),
	}
}

// request is what the fold needs of one finished request.
type request struct {
	verb, resource, subresource, group string
	namespace, name                    string
	uid                                types.UID
	code                               int32
	at                                 Moment
	sent, answered                     json.RawMessage
}

// add folds one audit event into the log.
func (l *Log) add(event *auditv1.Event) {
	if event.Stage != auditv1.StageResponseComplete && event.Stage != auditv1.StagePanic {
		return
	}
	l.sawTime(event.RequestReceivedTimestamp.Time)
	l.sawTime(event.StageTimestamp.Time)
	if event.ObjectRef == nil || isDryRun(event.RequestURI) {
		return
	}
	r := requestOf(event)
	if r.saysPodAbsent() {
		l.nameChange(podName{r.namespace, r.name}, namedChange{kind: podAbsent, at: r.at})
	}
	if !isWrite(r.verb) {
		return
	}
	l.writes.add(event, &r)
	if r.code == http.StatusNotFound && r.verb == "delete" && isTracked(r.resource) {
		l.addObjectWrite(&r) // gone already, by a request that was not recorded
	}
	if r.code >= http.StatusBadRequest {
		return
	}
	switch {
	case r.group == "" && (r.resource == "pods" || r.resource == "bindings"):
		l.addPodWrite(&r)
	case r.group == "" && r.resource == "nodes":
		l.addNodeWrite(&r)
	case isTracked(r.resource) && (r.subresource == "" || r.subresource == "status"):
		// A write of the status shows the whole object: also one whose creation the server
		// called a failure, because who asked for it was killed meanwhile.
		l.addObjectWrite(&r)
	}
}

func requestOf(event *auditv1.Event) request {
	ref := event.ObjectRef
	r := request{
		verb: event.Verb, resource: ref.Resource, subresource: ref.Subresource, group: ref.APIGroup,
		namespace: ref.Namespace, name: ref.Name, uid: ref.UID,
		at:       Moment{After: event.RequestReceivedTimestamp.Time, By: event.StageTimestamp.Time},
		sent:     raw(event.RequestObject),
		answered: raw(event.ResponseObject),
	}
	if event.ResponseStatus != nil {
		r.code = event.ResponseStatus.Code
	}
	return r
}

// saysPodAbsent reports whether the answer was that there is no such pod; other
// subresources answer 404 for a missing container, too.
func (r *request) saysPodAbsent() bool {
	if r.code != http.StatusNotFound || r.group != "" || r.resource != "pods" || r.name == "" {
		return false
	}
	switch r.subresource {
	case "", "status", "binding", "eviction":
		return true
	}
	return false
}

func raw(object *runtime.Unknown) json.RawMessage {
	if object == nil {
		return nil
	}
	return object.Raw
}

func isWrite(verb string) bool {
	switch verb {
	case "create", "update", "patch", "delete", "deletecollection":
		return true
	}
	return false
}

func isDryRun(uri string) bool {
	_, query, _ := strings.Cut(uri, "?")
	return strings.Contains(query, "dryRun=All")
}

func (l *Log) sawTime(t time.Time) {
	if t.IsZero() {
		return
	}
	if l.start.IsZero() || t.Before(l.start) {
		l.start = t
	}
	l.end = later(l.end, t)
}
