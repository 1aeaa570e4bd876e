package explain

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/gang"
)

// Asker runs a function on the machine between two of its steps; core.Loop is
// one.
type Asker interface {
	Ask(ctx context.Context, f func(*core.Machine)) error
}

// Handler serves the records of gangs and queues: GET /gangs lists gangs, GET
// /gangs/<kind>/<namespace>/<name> tells all of one, GET /queues lists queues. Text is
// the default; JSON where the request accepts application/json. It shows the work of
// every tenant, so it is to be served to the cluster's administrators only.
func Handler(asker Asker, now func() time.Time) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /gangs", func(w http.ResponseWriter, r *http.Request) {
		var records []core.Record
		if !ask(w, r, asker, func(m *core.Machine) { records = m.Records() }) {
			return
		}
		reply(w, r, records, func() error { return List(w, records, now()) })
	})
	mux.HandleFunc("GET /gangs/{kind}/{namespace}/{name...}", func(w http.ResponseWriter, r *http.Request) {
		id := gang.NewID(r.PathValue("kind"), r.PathValue("namespace"), r.PathValue("name"))
		var record core.Record
		var found bool
		if !ask(w, r, asker, func(m *core.Machine) { record, found = m.Record(id) }) {
			return
		}
		if !found {
			http.Error(w, "there is no gang "+string(id)+"; GET /gangs lists them", http.StatusNotFound)
			return
		}
		reply(w, r, record, func() error { return Detail(w, record, now()) })
	})
	mux.HandleFunc("GET /queues", func(w http.ResponseWriter, r *http.Request) {
		var records []core.QueueRecord
		if !ask(w, r, asker, func(m *core.Machine) { records = m.QueueRecords() }) {
			return
		}
		reply(w, r, records, func() error { return Queues(w, records) })
	})
	return mux
}

// ask reports whether the machine answered, and answers the request if not: a
// replica that does not lead has nothing to say.
func ask(w http.ResponseWriter, r *http.Request, asker Asker, f func(*core.Machine)) bool {
	ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
	defer cancel()
	if err := asker.Ask(ctx, f); err != nil {
		http.Error(w, "the scheduler does not answer; only the replica that leads does", http.StatusServiceUnavailable)
		return false
	}
	return true
}

func reply(w http.ResponseWriter, r *http.Request, value any, text func() error) {
	if strings.Contains(r.Header.Get("Accept"), "application/json") {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(value)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_ = text()
}
