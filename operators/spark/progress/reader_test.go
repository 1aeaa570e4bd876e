package progress

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// ask has a Reader ask a driver that answers so.
func ask(t *testing.T, timeout time.Duration, driver http.HandlerFunc) (Progress, error) {
	t.Helper()
	server := httptest.NewServer(driver)
	t.Cleanup(server.Close)
	return NewReader(timeout).Read(t.Context(), strings.TrimPrefix(server.URL, "http://"), "spark-1")
}

func TestADriverIsAskedForItsJobs(t *testing.T) {
	got, err := ask(t, time.Minute, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api/v1/applications/spark-1/jobs" {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write([]byte(`[{"status": "RUNNING", "stageIds": [1, 2], "numCompletedStages": 1, "numTasks": 4, "numCompletedIndices": 3}]`))
	})
	if err != nil || got.String() != "jobs 0/1, stages 1/2, tasks 3/4" {
		t.Errorf("got %v, %v", got, err)
	}
}

// A driver is a user's program, which may answer anything.
func TestNoDriverHoldsTheOperatorOrLeadsItAway(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("a redirect was followed")
	}))
	t.Cleanup(elsewhere.Close)
	job := []byte(`{"status": "SUCCEEDED"},`)
	for name, tc := range map[string]struct {
		timeout time.Duration
		driver  http.HandlerFunc
	}{
		"an answer without an end": {time.Minute, func(w http.ResponseWriter, _ *http.Request) {
			_, err := w.Write([]byte("["))
			for err == nil {
				_, err = w.Write(job)
			}
		}},
		"a name without an end": {time.Minute, func(w http.ResponseWriter, _ *http.Request) {
			_, err := w.Write([]byte(`[{"name": "`))
			for err == nil {
				_, err = w.Write(job[2:8])
			}
		}},
		"a redirect": {time.Minute, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL, http.StatusFound)
		}},
		"headers without measure": {time.Minute, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X", strings.Repeat("x", 2*maxHeader))
		}},
		"a refusal": {time.Minute, func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "[]", http.StatusForbidden)
		}},
		"silence": {time.Millisecond, func(_ http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
		}},
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := ask(t, tc.timeout, tc.driver); err == nil {
				t.Errorf("it is read as %v", got)
			}
		})
	}
}
