package explain_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/core/coretest"
	"muster.sh/muster/scheduler/explain"
	"muster.sh/muster/scheduler/gang/gangtest"
)

// direct asks a machine that nobody else uses.
type direct struct{ m *core.Machine }

func (d direct) Ask(_ context.Context, f func(*core.Machine)) error {
	f(d.m)
	return nil
}

type silent struct{}

func (silent) Ask(context.Context, func(*core.Machine)) error { return errors.New("not leading") }

// twoApps is a world in which one application runs and another waits for it.
func twoApps() *coretest.World {
	w := coretest.New()
	w.Node("n0", 4, 64)
	w.Send(core.Synced{})
	shape := gangtest.Shape(1, 1)
	for _, name := range []string{"first", "second"} {
		g := gangtest.Spark(name, 3, shape)
		g.Created = w.Now
		w.Now = w.Now.Add(time.Second)
		w.Send(core.GangSet{Gang: g})
		w.Pod(g.ID, "driver", name+"-driver", shape)
	}
	return w
}

func get(t *testing.T, h http.Handler, path, accept string) *httptest.ResponseRecorder {
	t.Helper()
	return serve(h, path, accept)
}

func serve(h http.Handler, path, accept string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Header.Set("Accept", accept)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestHandlerTellsWhoRunsAndWhoWaitsForWhat(t *testing.T) {
	world := twoApps()
	h := explain.Handler(direct{world.Machine}, func() time.Time { return world.Now })

	list := get(t, h, "/gangs", "").Body.String()
	want := `GANG                  PHASE    BOUND  PLACE  AGE  REASON
spark/default/first   Started  1/4    -      2s   room is reserved, members are starting: 3 members of the minimum are still to run
spark/default/second  Waiting  0/4    1      1s   not enough room: 0 of 1 driver placed, cpu=1 memory=1Gi missing in all; of 1 nodes: 1 too little cpu
`
	if list != want {
		t.Errorf("list:\n%s\nwant:\n%s", list, want)
	}

	detail := get(t, h, "/gangs/spark/default/first", "").Body.String()
	for _, part := range []string{"Phase:", "Started", "executor", "(expected)", "cpu=1 memory=1Gi"} {
		if !strings.Contains(detail, part) {
			t.Errorf("the detail lacks %q:\n%s", part, detail)
		}
	}

	var records []core.Record
	if err := json.Unmarshal(get(t, h, "/gangs", "application/json").Body.Bytes(), &records); err != nil {
		t.Fatal(err)
	}
	if len(records) != 2 || records[1].Position != 1 || len(records[0].Slots) != 4 {
		t.Errorf("records: %+v", records)
	}
}

// The name of a Job's gang has the Job's UID behind a slash.
func TestHandlerFindsAGangOfAnyName(t *testing.T) {
	world := twoApps()
	world.Send(core.GangSet{Gang: gangtest.Spark("name/uid", 1, gangtest.Shape(1, 1))})
	h := explain.Handler(direct{world.Machine}, time.Now)
	if w := get(t, h, "/gangs/spark/default/name/uid", ""); w.Code != http.StatusOK {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestHandlerNamesTheCureForAnUnknownGang(t *testing.T) {
	h := explain.Handler(direct{twoApps().Machine}, time.Now)
	if w := get(t, h, "/gangs/spark/default/none", ""); w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "GET /gangs") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestHandlerOfAFollowerSaysSo(t *testing.T) {
	h := explain.Handler(silent{}, time.Now)
	if w := get(t, h, "/gangs", ""); w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "leads") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
