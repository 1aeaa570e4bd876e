package run

import (
	"net/http"
	"strconv"
	"strings"
)

// isWrite says whether a request changes something.
func isWrite(r *http.Request) bool { return r.Method != http.MethodGet && r.Method != http.MethodHead }

// countWrites counts requests that write. Counting them on the wire leaves out
// none, whoever sends it.
type countWrites struct{ next http.RoundTripper }

// RoundTrip sends a request and counts it if it writes.
func (c countWrites) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := c.next.RoundTrip(r)
	if isWrite(r) {
		code := "error"
		if err == nil {
			code = strconv.Itoa(response.StatusCode)
		}
		apiWrites.WithLabelValues(strings.ToLower(r.Method), resourceOf(r.URL.Path), code).Inc()
	}
	return response, err
}

// WrappedRoundTripper lets client-go find what is wrapped.
func (c countWrites) WrappedRoundTripper() http.RoundTripper { return c.next }

// resourceOf names what a path of the API server is about: "pods/binding" for
// /api/v1/namespaces/n/pods/p/binding. Names of objects are left out: a metric
// has few values.
func resourceOf(path string) string {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	switch {
	case len(parts) > 2 && parts[0] == "api":
		parts = parts[2:]
	case len(parts) > 3 && parts[0] == "apis":
		parts = parts[3:]
	default:
		return "other"
	}
	if len(parts) > 2 && parts[0] == "namespaces" {
		parts = parts[2:]
	}
	if len(parts) > 2 {
		return parts[0] + "/" + parts[2]
	}
	return parts[0]
}
