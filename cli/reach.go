package cli

import (
	"fmt"
	"net/http"
)

// reached says how to name another API server where the one that is named can't be
// reached.
type reached struct{ http.RoundTripper }

// RoundTrip asks the API server.
func (r reached) RoundTrip(request *http.Request) (*http.Response, error) {
	answer, err := r.RoundTripper.RoundTrip(request)
	if err != nil && request.Context().Err() == nil {
		return nil, fmt.Errorf("%w; is the cluster up? --context and --kubeconfig name another", err)
	}
	return answer, err
}
