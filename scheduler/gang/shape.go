package gang

import (
	"encoding/json"
	"slices"
	"strconv"

	"muster.sh/muster/scheduler/numa"
	"muster.sh/muster/scheduler/resource"
)

// Shape is all of a member that placing looks at. Members of equal shape are
// interchangeable and are placed many at a time.
type Shape struct {
	Request resource.Vector `json:"request"`
	// Affinity has alternatives: a node must meet every requirement of at
	// least one. Node selectors are part of every alternative. Without any
	// alternative each node will do.
	Affinity    []Term       `json:"affinity,omitempty"`
	Tolerations []Toleration `json:"tolerations,omitempty"`
	// HostPorts that must be free, as "protocol/address/port".
	HostPorts []string `json:"hostPorts,omitempty"`
	// Aligned is what a kubelet may take from NUMA zones; nil for nothing.
	Aligned *numa.Demand `json:"aligned,omitempty"`
	// Opaque says that the pod has constraints that are not modelled here
	// (volumes, pod affinity, spread, resource claims). Its own scheduling
	// cycle proves them before anything is bound.
	Opaque bool `json:"opaque,omitempty"`
}

// Term is a set of requirements that must all be met.
type Term []Requirement

// Requirement is one condition on a node's labels, or on its name where
// Field is set.
type Requirement struct {
	Key      string   `json:"key"`
	Operator Operator `json:"operator"`
	Values   []string `json:"values,omitempty"`
	// Field makes Key a field of the node: only metadata.name exists.
	Field bool `json:"field,omitempty"`
}

// Operator of a requirement, with the meaning that Kubernetes gives it.
type Operator string

// The operators of node affinity.
const (
	In           Operator = "In"
	NotIn        Operator = "NotIn"
	Exists       Operator = "Exists"
	DoesNotExist Operator = "DoesNotExist"
	Gt           Operator = "Gt"
	Lt           Operator = "Lt"
)

// Meets says whether a node's labels meet a requirement.
func (r Requirement) Meets(nodeName string, labels map[string]string) bool {
	value, has := labels[r.Key]
	if r.Field {
		value, has = nodeName, r.Key == "metadata.name"
	}
	switch r.Operator {
	case In:
		return has && slices.Contains(r.Values, value)
	case NotIn:
		return !has || !slices.Contains(r.Values, value)
	case Exists:
		return has
	case DoesNotExist:
		return !has
	case Gt, Lt:
		return has && len(r.Values) == 1 && compares(r.Operator, value, r.Values[0])
	}
	return false
}

func compares(op Operator, label, bound string) bool {
	l, err1 := strconv.ParseInt(label, 10, 64)
	b, err2 := strconv.ParseInt(bound, 10, 64)
	if err1 != nil || err2 != nil {
		return false
	}
	if op == Gt {
		return l > b
	}
	return l < b
}

// Admits says whether a node with these labels is one that the shape asks for.
func (s *Shape) Admits(nodeName string, labels map[string]string) bool {
	if len(s.Affinity) == 0 {
		return true
	}
	for _, term := range s.Affinity {
		if !slices.ContainsFunc(term, func(r Requirement) bool { return !r.Meets(nodeName, labels) }) {
			return true
		}
	}
	return false
}

// Effect of a taint.
type Effect string

// Effects that keep a pod off a node. PreferNoSchedule never does.
const (
	NoSchedule Effect = "NoSchedule"
	NoExecute  Effect = "NoExecute"
)

// Taint keeps pods that do not tolerate it off a node.
type Taint struct {
	Key    string `json:"key"`
	Value  string `json:"value,omitempty"`
	Effect Effect `json:"effect"`
}

// Toleration lets a pod onto a tainted node. An empty Key tolerates every key,
// an empty Effect every effect; AnyValue is Kubernetes' operator Exists.
type Toleration struct {
	Key      string `json:"key,omitempty"`
	AnyValue bool   `json:"anyValue,omitempty"`
	Value    string `json:"value,omitempty"`
	Effect   Effect `json:"effect,omitempty"`
}

// Tolerates says whether the shape bears a taint.
func (s *Shape) Tolerates(t Taint) bool {
	return slices.ContainsFunc(s.Tolerations, func(o Toleration) bool {
		return (o.Effect == "" || o.Effect == t.Effect) &&
			(o.Key == t.Key || (o.Key == "" && o.AnyValue)) &&
			(o.AnyValue || o.Value == t.Value)
	})
}

// Signature is equal for equal shapes and different for different ones. It
// keys what is remembered of failures.
func (s *Shape) Signature() string {
	b, err := json.Marshal(s)
	if err != nil {
		// Strings, numbers and slices of them always marshal.
		panic("gang: shape does not marshal: " + err.Error())
	}
	return string(b)
}

// Covers says whether a member of shape s may take room that was held for
// shape held: it asks for no more. Whether the node suits s is another question.
func (s *Shape) Covers(held *Shape) bool {
	return s.Request.Fits(held.Request) &&
		!slices.ContainsFunc(s.HostPorts, func(port string) bool { return !slices.Contains(held.HostPorts, port) })
}
