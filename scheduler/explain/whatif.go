package explain

import (
	"encoding/json"
	"io"
	"net/http"

	v1 "muster.sh/muster/api/explain/v1"
	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/gang"
)

const (
	// A question has at most so many bytes, kinds of members, and members in all.
	maxQuestion = 256 << 10
	maxKinds    = 16
	maxMembers  = 10_000
)

// supposed is the kind of a gang that does not exist.
const supposed = "supposed"

// whatIf foretells what would become of a gang.
func (a *API) whatIf(r *http.Request) (any, error) {
	if _, err := readQuery(r); err != nil {
		return nil, err
	}
	var q v1.WhatIf
	if err := decode(r, &q); err != nil {
		return nil, err
	}
	if q.Namespace == "" {
		return nil, invalid("namespace is not set; it says what queues may be charged")
	}
	if err := a.mustList(r, q.Namespace); err != nil {
		return nil, err
	}
	g, err := a.suppose(&q)
	if err != nil {
		return nil, err
	}
	var f core.Foretold
	if err := a.Ask(r.Context(), func(m *core.Machine) { f = m.WhatIf(g, int64(q.Priority)) }); err != nil {
		return nil, err
	}
	out := v1.Foretold{Starts: f.Verdict.Code == gang.Reserved, Queue: f.Queue, Ahead: f.Ahead}
	if !out.Starts {
		v := verdictOf(&f.Verdict)
		out.Verdict = &v
	}
	for _, p := range f.Placings {
		out.Placings = append(out.Placings, v1.Placing(p))
	}
	return out, nil
}

// decode reads a question. A field that does not exist is refused.
func decode(r *http.Request, q *v1.WhatIf) error {
	body := json.NewDecoder(io.LimitReader(r.Body, maxQuestion))
	body.DisallowUnknownFields()
	if err := body.Decode(q); err != nil {
		return invalid("the body is not a WhatIf of at most %d bytes: %v", maxQuestion, err)
	}
	return nil
}

// suppose makes the gang that is asked about. All of its members are expected.
func (a *API) suppose(q *v1.WhatIf) (gang.Gang, error) {
	g := gang.Gang{
		ID: gang.NewID(supposed, q.Namespace, ""), Owner: gang.Object{Namespace: q.Namespace},
		Queue: q.Queue, Created: a.Now(),
	}
	if len(q.Members) == 0 || len(q.Members) > maxKinds {
		return g, invalid("members has %d entries; give from 1 to %d", len(q.Members), maxKinds)
	}
	total := 0
	for i := range q.Members {
		m := &q.Members[i]
		if total += m.Count; m.Count < 1 || m.Count > maxMembers || total > maxMembers {
			return g, invalid("members[%d].count=%d: give 1 or more, and at most %d in all", i, m.Count, maxMembers)
		}
		if len(m.Template.Spec.Containers) == 0 {
			return g, invalid("members[%d].template.spec.containers is empty; give what a member requests", i)
		}
		shape := a.Shape(m)
		negative := ""
		shape.Request.Each(func(name string, value int64) {
			if value < 0 {
				negative = name
			}
		})
		if negative != "" {
			return g, invalid("members[%d].template requests less than nothing of %s", i, negative)
		}
		if _, twice := g.Role(m.Role); twice {
			return g, invalid("members[%d].role=%.64q is the role of others too; give each a name of its own", i, m.Role)
		}
		g.Roles = append(g.Roles, gang.Role{Name: m.Role, Min: m.Count, Max: m.Count, Expected: true, Shape: shape})
	}
	return g, nil
}
