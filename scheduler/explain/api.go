package explain

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	v1 "muster.sh/muster/api/explain/v1"
	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/queue"
	"muster.sh/muster/scheduler/resource"
)

// API serves what package api/explain/v1 describes. Unlike the pages of Handler it is for
// tenants: of gangs in namespaces that are not the caller's it tells numbers alone.
type API struct {
	Asker
	// Leads says whether this replica leads and has taken up what exists, and else who
	// leads, as far as that is known.
	Leads func() (leader string, leads bool)
	// MayList says whether the caller may list the pods of a namespace; of all for an
	// empty one.
	MayList func(r *http.Request, namespace string) (bool, error)
	Now     func() time.Time
	// Shape is what placing looks at of a pod that does not exist.
	Shape func(*v1.Members) gang.Shape
	// Admits says whether a caller may be answered now, who has not asked too often.
	Admits func(r *http.Request) bool
}

const (
	// patience is how long a caller waits for an answer at most.
	patience = 5 * time.Second
	// maxReviews bounds for how many namespaces it is asked whether the caller may see
	// them, for one request.
	maxReviews = 64
)

// Handler serves the paths of the API.
func (a *API) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/gangs", a.answer(a.gangs))
	mux.HandleFunc("GET /v1/gangs/{namespace}/{name...}", a.answer(a.gang))
	mux.HandleFunc("GET /v1/queues", a.answer(a.queues))
	mux.HandleFunc("POST /v1/whatif", a.answer(a.whatIf))
	return mux
}

// answer writes what is found, or why there is no answer.
func (a *API) answer(find func(*http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if leader, leads := a.Leads(); !leads {
			refuse(w, &v1.Problem{
				Title: "this replica does not lead", Status: http.StatusServiceUnavailable,
				Detail: "only the replica that leads knows; ask that one", Leader: leader,
			})
			return
		}
		if !a.Admits(r) {
			refuse(w, &v1.Problem{Title: "too many requests", Status: http.StatusTooManyRequests, Detail: "ask again in a second"})
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), patience)
		defer cancel()
		found, err := find(r.WithContext(ctx))
		if err != nil {
			refuse(w, problemOf(err))
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(found)
	}
}

func problemOf(err error) *v1.Problem {
	var p *v1.Problem
	switch {
	case errors.As(err, &p):
		return p
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return &v1.Problem{Title: "the scheduler is busy", Status: http.StatusServiceUnavailable, Detail: "ask again in a moment"}
	}
	return &v1.Problem{Title: "the API server can't be asked what the caller may see", Status: http.StatusServiceUnavailable, Detail: err.Error()}
}

func refuse(w http.ResponseWriter, p *v1.Problem) {
	w.Header().Set("Content-Type", "application/problem+json")
	if p.Status == http.StatusServiceUnavailable || p.Status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "1")
	}
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p)
}

// gangs lists those that the caller may see, and counts the others.
func (a *API) gangs(r *http.Request) (any, error) {
	q, err := readQuery(r, "queue", "namespace", "verdict", "limit", "continue")
	if err != nil {
		return nil, err
	}
	selected := core.Selection{Queue: q.Get("queue"), Namespace: q.Get("namespace"), Code: gang.Code(q.Get("verdict"))}
	var census core.Census
	if err := a.Ask(r.Context(), func(m *core.Machine) { census = m.Census(selected) }); err != nil {
		return nil, err
	}
	sees, err := a.sight(r, selected.Namespace, census)
	if err != nil {
		return nil, err
	}
	var records []core.Record
	if err := a.Ask(r.Context(), func(m *core.Machine) { records = m.Page(selected, sees, gang.ID(q.after), q.limit+1) }); err != nil {
		return nil, err
	}
	list := v1.GangList{Items: []v1.Gang{}, Others: others(census, sees)}
	if len(records) > q.limit {
		records = records[:q.limit]
		list.Continue = token(string(records[q.limit-1].Gang))
	}
	for i := range records {
		list.Items = append(list.Items, gangOf(&records[i]))
	}
	return list, nil
}

// sight says which namespaces the caller sees: those of which he may list the pods.
func (a *API) sight(r *http.Request, only string, census core.Census) (func(namespace string) bool, error) {
	if only != "" {
		return func(string) bool { return true }, a.mustList(r, only)
	}
	all, err := a.MayList(r, "")
	if err != nil || all {
		return func(string) bool { return true }, err
	}
	may := map[string]bool{}
	namespaces := slices.Sorted(maps.Keys(census))
	for _, n := range namespaces[:min(len(namespaces), maxReviews)] {
		if may[n], err = a.MayList(r, n); err != nil {
			return nil, err
		}
	}
	return func(namespace string) bool { return may[namespace] }, nil
}

// mustList is an error where the caller may not see a namespace that he names.
func (a *API) mustList(r *http.Request, namespace string) error {
	may, err := a.MayList(r, namespace)
	if err != nil || may {
		return err
	}
	return &v1.Problem{
		Title: "the gangs of namespace " + namespace + " are not yours to see", Status: http.StatusForbidden,
		Detail: "who may list the pods of a namespace may see its gangs; ask an administrator for that right",
	}
}

// others counts the gangs that the caller does not see.
func others(census core.Census, sees func(namespace string) bool) v1.Others {
	var o v1.Others
	for namespace, counts := range census {
		if sees(namespace) {
			continue
		}
		if o.Verdicts == nil {
			o.Verdicts = map[string]int{}
		}
		for code, count := range counts {
			o.Gangs += count
			o.Verdicts[string(code)] += count
		}
	}
	return o
}

// gang tells all of one.
func (a *API) gang(r *http.Request) (any, error) {
	q, err := readQuery(r, "kind")
	if err != nil {
		return nil, err
	}
	namespace, name := r.PathValue("namespace"), r.PathValue("name")
	if err := a.mustList(r, namespace); err != nil {
		return nil, err
	}
	var records []core.Record
	if err := a.Ask(r.Context(), func(m *core.Machine) { records = m.Named(namespace, name) }); err != nil {
		return nil, err
	}
	if kind := q.Get("kind"); kind != "" {
		records = slices.DeleteFunc(records, func(r core.Record) bool { k, _, _ := r.Gang.Split(); return k != kind })
	}
	switch len(records) {
	case 1:
		return gangOf(&records[0]), nil
	case 0:
		return nil, &v1.Problem{
			Title: fmt.Sprintf("there is no gang %s in namespace %s", name, namespace), Status: http.StatusNotFound,
			Detail: "GET /v1/gangs?namespace=" + namespace + " lists those that there are",
		}
	}
	var names []string
	for i := range records {
		names = append(names, string(records[i].Gang))
	}
	return nil, &v1.Problem{
		Title: fmt.Sprintf("%d gangs have that name: %s", len(names), strings.Join(names, ", ")), Status: http.StatusConflict,
		Detail: "choose one by ?kind= and its own name, which is what follows kind and namespace",
	}
}

// queues lists those that are declared, and the default one: a name that only some
// tenant's pods have is his own business.
func (a *API) queues(r *http.Request) (any, error) {
	q, err := readQuery(r, "limit", "continue")
	if err != nil {
		return nil, err
	}
	var records []core.QueueRecord
	var pending map[string]resource.Vector
	if err := a.Ask(r.Context(), func(m *core.Machine) { records, pending = m.QueueRecords(), m.Pending() }); err != nil {
		return nil, err
	}
	list := v1.QueueList{Items: []v1.Queue{}}
	for i := range records {
		switch r := &records[i]; {
		case (!r.Declared && r.Name != queue.Default) || r.Name <= q.after:
		case len(list.Items) == q.limit:
			list.Continue = token(list.Items[q.limit-1].Name)
			return list, nil
		default:
			list.Items = append(list.Items, queueOf(r, pending[r.Name]))
		}
	}
	return list, nil
}
