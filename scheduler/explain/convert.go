package explain

import (
	"cmp"
	"maps"
	"slices"
	"strconv"

	v1 "muster.sh/muster/api/explain/v1"
	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/queue"
	"muster.sh/muster/scheduler/resource"
)

func gangOf(r *core.Record) v1.Gang {
	kind, namespace, name := r.Gang.Split()
	g := v1.Gang{
		Kind: kind, Namespace: namespace, Name: name, Owner: objectOf(r.Owner), Queue: r.Queue, Place: r.Position,
		Phase: string(r.Phase), Created: r.Created, Minimum: r.Min, Bound: r.Bound, Verdict: verdictOf(&r.Verdict),
	}
	g.Verdict.Since, g.Ends, g.NonPreemptible = r.Since, r.Ends, r.NonPreemptible
	if s := r.Start; s != nil {
		g.Start = &v1.Start{At: s.At, Nodes: s.Nodes, Unknown: s.Unknown, Moved: s.Moved}
	}
	for _, s := range r.Slots {
		g.Slots = append(g.Slots, v1.Slot{Role: s.Role, Node: s.Node, Pod: s.Pod, Elastic: s.Elastic, Request: amountsOf(s.Request)})
	}
	return g
}

func objectOf(o gang.Object) v1.Object {
	return v1.Object{APIVersion: o.APIVersion, Kind: o.Kind, Name: o.Name}
}

func verdictOf(of *gang.Verdict) v1.Verdict {
	v := v1.Verdict{
		Code: string(of.Code), Message: of.String(),
		Role: of.Role, Placed: of.Placed, Wanted: of.Wanted, Missing: amountsOf(of.Missing), Nodes: of.Nodes,
	}
	for _, c := range slices.SortedFunc(maps.Keys(of.RuledOut), func(a, b gang.Constraint) int {
		return cmp.Or(cmp.Compare(of.RuledOut[b], of.RuledOut[a]), cmp.Compare(a, b))
	}) {
		v.RuledOut = append(v.RuledOut, v1.RuledOut{Constraint: string(c), Nodes: of.RuledOut[c]})
	}
	if of.WaitingFor.Name != "" {
		first := objectOf(of.WaitingFor)
		v.WaitingFor = &first
	}
	return v
}

func queueOf(r *core.QueueRecord, pending resource.Vector) v1.Queue {
	q := v1.Queue{
		Name: r.Name, Parent: r.Parent, State: v1.QueueOpen, Problem: r.Problem, Weight: r.Weight, Priority: r.Priority,
		Guaranteed: amountsOf(r.Guaranteed), Deserved: amountsOf(r.Entitled), Capability: limitsOf(r.Capability),
		Used: amountsOf(r.Used), Borrowed: amountsOf(r.Borrowed),
		Expected: amountsOf(r.Expected), MaxExpected: limitsOf(r.MaxExpected),
		NonPreemptible: amountsOf(r.NonPreemptible), MaxNonPreemptible: limitsOf(r.MaxNonPreemptible), Pending: amountsOf(pending), Share: r.Share, Waiting: r.Waiting,
	}
	switch {
	case r.Problem != "":
		q.State = v1.QueueRefused
	case r.Closed:
		q.State = v1.QueueClosed
	}
	if len(r.Gangs) > 0 {
		q.Gangs = map[string]int{}
	}
	for code, count := range r.Gangs {
		q.Gangs[string(code)] = count
	}
	return q
}

func amountsOf(v resource.Vector) v1.Amounts {
	if v.IsZero() {
		return nil
	}
	out := v1.Amounts{}
	v.Each(func(name string, value int64) { out[name] = exactly(name, value) })
	return out
}

func limitsOf(l queue.Limits) v1.Amounts {
	if len(l) == 0 {
		return nil
	}
	out := v1.Amounts{}
	for _, a := range l {
		out[a.Name] = exactly(a.Name, a.Value)
	}
	return out
}

// exactly writes an amount to the last byte. What is written for people is rounded.
func exactly(name string, value int64) string {
	if name == resource.CPU {
		return resource.Format(name, value)
	}
	return strconv.FormatInt(value, 10)
}
