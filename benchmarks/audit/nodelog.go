package audit

import (
	"encoding/json"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// nodeRecord is a node while the log is being read.
type nodeRecord struct {
	states  []nodeState
	deleted []Moment
	given   corev1.ResourceList // by AddNode: what it could carry before the log began
}

// nodeState is what one write showed of a node.
type nodeState struct {
	at          Moment
	version     uint64
	allocatable corev1.ResourceList
	ready       bool
}

// nodeObject is the part of a node that is read.
type nodeObject struct {
	Kind              string `json:"kind"`
	metav1.ObjectMeta `json:"metadata"`
	Status            struct {
		Allocatable corev1.ResourceList    `json:"allocatable"`
		Conditions  []corev1.NodeCondition `json:"conditions"`
	} `json:"status"`
}

// AddNode tells the log what a node could carry from the start, where the log
// itself doesn't hold the node's status.
func (l *Log) AddNode(node *corev1.Node) {
	l.node(node.Name).given = node.Status.Allocatable.DeepCopy()
}

func (l *Log) node(name string) *nodeRecord {
	record := l.nodes[name]
	if record == nil {
		record = &nodeRecord{}
		l.nodes[name] = record
	}
	return record
}

// addNodeWrite folds a successful write of a node.
func (l *Log) addNodeWrite(r *request) {
	switch r.verb {
	case "delete":
		record := l.node(r.name)
		record.deleted = append(record.deleted, r.at)
	case "deletecollection":
		var list struct {
			Items []nodeObject `json:"items"`
		}
		if json.Unmarshal(r.answered, &list) != nil || len(r.answered) == 0 {
			l.bodiless++
			return
		}
		for _, item := range list.Items {
			record := l.node(item.Name)
			record.deleted = append(record.deleted, r.at)
		}
	default:
		var node nodeObject
		if len(r.answered) == 0 || json.Unmarshal(r.answered, &node) != nil || node.Kind != "" && node.Kind != "Node" {
			l.bodiless++
			return
		}
		l.sawNode(&node, r.at)
	}
}

// sawNode folds what a node's object shows; most status writes change nothing
// that matters here and are dropped when they follow their like.
func (l *Log) sawNode(node *nodeObject, at Moment) {
	state := nodeState{
		at:          at,
		version:     versionNumber(node.ResourceVersion),
		allocatable: node.Status.Allocatable,
		ready:       isReady(node.Status.Conditions),
	}
	record := l.node(node.Name)
	if n := len(record.states); n > 0 && record.states[n-1].showsSame(state) && state.version >= record.states[n-1].version {
		return
	}
	record.states = append(record.states, state)
}

func (s nodeState) showsSame(other nodeState) bool {
	return s.ready == other.ready && sameList(s.allocatable, other.allocatable)
}

func sameList(a, b corev1.ResourceList) bool {
	if len(a) != len(b) {
		return false
	}
	for name, quantity := range a {
		other, ok := b[name]
		if !ok || quantity.Cmp(other) != 0 {
			return false
		}
	}
	return true
}

func isReady(conditions []corev1.NodeCondition) bool {
	at := slices.IndexFunc(conditions, func(c corev1.NodeCondition) bool { return c.Type == corev1.NodeReady })
	return at >= 0 && conditions[at].Status == corev1.ConditionTrue
}

// versionNumber reads a resource version as the number that it is; 0 if it isn't.
func versionNumber(version string) uint64 {
	n, err := strconv.ParseUint(version, 10, 64)
	if err != nil {
		return 0
	}
	return n
}
