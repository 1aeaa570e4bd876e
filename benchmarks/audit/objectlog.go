package audit

import (
	"bytes"
	"encoding/json"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// objectKey names a tracked object; incarnations of one name have one record.
type objectKey struct {
	group, resource, namespace, name string
}

// objectRecord is a tracked object while the log is being read.
type objectRecord struct {
	states  []ObjectState
	deleted []Moment
}

// isTracked tells of which resources, whatever their group, the specs are kept:
// those that declare gangs and those that hold room.
func isTracked(resource string) bool {
	return resource == "podgroups" || resource == "reservations"
}

// addObjectWrite folds a successful write of a tracked object.
func (l *Log) addObjectWrite(r *request) {
	key := objectKey{r.group, r.resource, r.namespace, r.name}
	switch r.verb {
	case "delete":
		record := l.object(key)
		record.deleted = append(record.deleted, r.at)
		return
	case "deletecollection":
		l.addObjectListDeletion(r)
		return
	}
	var object struct {
		metav1.ObjectMeta `json:"metadata"`
		Spec              json.RawMessage `json:"spec"`
	}
	if len(r.answered) == 0 || json.Unmarshal(r.answered, &object) != nil || object.UID == "" {
		l.bodiless++
		return
	}
	key.namespace, key.name = object.Namespace, object.Name
	l.object(key).see(ObjectState{
		At: r.at, UID: object.UID, Spec: object.Spec, Labels: object.Labels, Annotations: object.Annotations,
		Owners: object.OwnerReferences, version: versionNumber(object.ResourceVersion),
	})
}

func (l *Log) object(key objectKey) *objectRecord {
	record := l.objects[key]
	if record == nil {
		record = &objectRecord{}
		l.objects[key] = record
	}
	return record
}

func (l *Log) addObjectListDeletion(r *request) {
	var list struct {
		Items []struct {
			metav1.ObjectMeta `json:"metadata"`
		} `json:"items"`
	}
	if json.Unmarshal(r.answered, &list) != nil || len(r.answered) == 0 {
		l.bodiless++
		return
	}
	for _, item := range list.Items {
		key := objectKey{r.group, r.resource, item.Namespace, item.Name}
		if record := l.objects[key]; record != nil {
			record.deleted = append(record.deleted, r.at)
		}
	}
}

// see keeps a state unless it shows what the one before showed.
func (o *objectRecord) see(state ObjectState) {
	if n := len(o.states); n > 0 {
		last := o.states[n-1]
		if last.UID == state.UID && last.version <= state.version && bytes.Equal(last.Spec, state.Spec) {
			return
		}
	}
	state.Spec = bytes.Clone(state.Spec)
	o.states = append(o.states, state)
}

// ObjectState is what one write showed of an object: its spec from that moment on.
type ObjectState struct {
	At          Moment
	UID         types.UID
	Spec        json.RawMessage
	Labels      map[string]string
	Annotations map[string]string
	Owners      []metav1.OwnerReference

	version uint64
}
