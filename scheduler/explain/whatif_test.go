package explain_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	v1 "muster.sh/muster/api/explain/v1"
)

// workers are the members field of a question: so many, of some cores each.
func workers(count int, cores string) string {
	return fmt.Sprintf(`"members":[{"role":"worker","count":%d,"template":{"spec":{"containers":[{"name":"c","resources":{"requests":{"cpu":%q}}}]}}}]`, count, cores)
}

func ask(h http.Handler, body string) (*httptest.ResponseRecorder, v1.Foretold, v1.Problem) {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/v1/whatif", strings.NewReader(body)))
	var f v1.Foretold
	var p v1.Problem
	_ = json.Unmarshal(w.Body.Bytes(), &f)
	_ = json.Unmarshal(w.Body.Bytes(), &p)
	return w, f, p
}

// In this world a core is free, and a gang waits for two.
func TestWhatIfTellsWhatWouldBecomeOfAGang(t *testing.T) {
	for _, c := range []struct{ body, want string }{
		{`{"namespace":"blue","priority":5,` + workers(1, "1") + `}`, "default starts [{worker n1 1}] ahead 0"},
		{`{"namespace":"blue",` + workers(1, "1") + `}`, "default Behind [] ahead 2"},
		{`{"namespace":"blue",` + workers(1, "1500m") + `}`, "default NoRoom [] ahead 2"},
		{`{"namespace":"blue",` + workers(1, "3") + `}`, "default TooBig [] ahead 2"},
		{`{"namespace":"blue","queue":"batch",` + workers(2, "1") + `}`, "batch OverQuota [] ahead 1"},
		{`{"namespace":"blue","queue":"batch",` + workers(3, "1") + `}`, "batch NeverInQueue [] ahead 1"},
		{`{"namespace":"blue","queue":"shut",` + workers(1, "1") + `}`, "shut Barred [] ahead 0"},
	} {
		w, f, _ := ask(caller(tenants(), "blue").Handler(), c.body)
		says := "starts"
		if f.Verdict != nil {
			says = f.Verdict.Code
		}
		got := fmt.Sprintf("%s %s %v ahead %d", f.Queue, says, f.Placings, f.Ahead)
		if w.Code != http.StatusOK || got != c.want || f.Starts != (f.Verdict == nil) {
			t.Errorf("%s: %d %s, want %s", c.body, w.Code, got, c.want)
		}
	}
}

func TestAQuestionThatCantBeUnderstoodIsRefused(t *testing.T) {
	for _, c := range []struct {
		body   string
		status int
		says   string
	}{
		{`{"namespace":"red",` + workers(1, "1") + `}`, http.StatusForbidden, "red are not yours"},
		{`{` + workers(1, "1") + `}`, http.StatusBadRequest, "namespace is not set"},
		{`{"namespace":"blue"}`, http.StatusBadRequest, "members has 0 entries; give from 1 to 16"},
		{`{"namespace":"blue","members":[` + strings.Repeat(`{"count":1},`, 16) + `{"count":1}]}`, http.StatusBadRequest, "members has 17 entries"},
		{`{"namespace":"blue",` + workers(0, "1") + `}`, http.StatusBadRequest, "members[0].count=0"},
		{`{"namespace":"blue",` + workers(10_001, "1") + `}`, http.StatusBadRequest, "at most 10000 in all"},
		{`{"namespace":"blue",` + workers(1, "-1") + `}`, http.StatusBadRequest, "requests less than nothing of cpu"},
		{`{"namespace":"blue","members":[{"count":1}]}`, http.StatusBadRequest, "containers is empty"},
		{`{"namespace":"blue","member":[]}`, http.StatusBadRequest, `unknown field "member"`},
		{`{"namespace":"blue","queue":"` + strings.Repeat("x", 256<<10) + `"}`, http.StatusBadRequest, "at most 262144 bytes"},
		{strings.Replace(`{"namespace":"blue",`+workers(1, "1")+`}`, `"members":[`, `"members":[{"role":"worker","count":1,"template":{"spec":{"containers":[{"name":"c"}]}}},`, 1),
			http.StatusBadRequest, `members[1].role="worker" is the role of others too`},
	} {
		w, _, p := ask(caller(tenants(), "blue").Handler(), c.body)
		if w.Code != c.status || !strings.Contains(p.Error(), c.says) {
			t.Errorf("%.100s: %d %.200s, want %s", c.body, w.Code, w.Body, c.says)
		}
	}
}
