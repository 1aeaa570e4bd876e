package run

import (
	"net/http"
	"sync"

	"k8s.io/apiserver/pkg/authorization/authorizer"
	apirequest "k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/client-go/util/flowcontrol"
	"k8s.io/utils/clock"
	"k8s.io/utils/lru"
)

// mayListPods asks whether a caller may list the pods of a namespace, or of all. The
// answers are kept for a few seconds.
func mayListPods(may authorizer.Authorizer) func(*http.Request, string) (bool, error) {
	return func(r *http.Request, namespace string) (bool, error) {
		caller, known := apirequest.UserFrom(r.Context())
		if !known {
			return false, nil
		}
		decision, _, err := may.Authorize(r.Context(), authorizer.AttributesRecord{
			User: caller, Verb: "list", Namespace: namespace, APIVersion: "v1", Resource: "pods", ResourceRequest: true,
		})
		if decision == authorizer.DecisionAllow {
			return true, nil
		}
		return false, err
	}
}

const (
	// A caller is answered so often in a second, and so many times at once.
	answersPerSecond = 5
	answersAtOnce    = 20
	// maxCallers bounds of how many callers it is remembered.
	maxCallers = 1024
)

// callers bounds how often each caller is answered: while the loop looks something up for
// one it decides nothing.
type callers struct {
	clock clock.PassiveClock

	mu      sync.Mutex
	budgets *lru.Cache // by name
}

func newCallers(c clock.PassiveClock) *callers {
	return &callers{clock: c, budgets: lru.New(maxCallers)}
}

// admits says whether a caller may be answered now.
func (c *callers) admits(r *http.Request) bool {
	name := ""
	if caller, known := apirequest.UserFrom(r.Context()); known {
		name = caller.GetName()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	budget, known := c.budgets.Get(name)
	if !known {
		budget = flowcontrol.NewTokenBucketPassiveRateLimiterWithClock(answersPerSecond, answersAtOnce, c.clock)
		c.budgets.Add(name, budget)
	}
	return budget.(flowcontrol.PassiveRateLimiter).TryAccept()
}
