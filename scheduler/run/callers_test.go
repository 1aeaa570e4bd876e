package run

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"k8s.io/apiserver/pkg/authentication/user"
	apirequest "k8s.io/apiserver/pkg/endpoints/request"
	clocktesting "k8s.io/utils/clock/testing"
)

func TestEachCallerHasABudgetOfHisOwn(t *testing.T) {
	clock := clocktesting.NewFakePassiveClock(time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC))
	c := newCallers(clock)
	// answered is how many of a hundred requests of a caller are.
	answered := func(name string) (n int) {
		r := httptest.NewRequest(http.MethodGet, "/v1/gangs", nil)
		r = r.WithContext(apirequest.WithUser(r.Context(), &user.DefaultInfo{Name: name}))
		for range 100 {
			if c.admits(r) {
				n++
			}
		}
		return n
	}
	if first, again, other := answered("a"), answered("a"), answered("b"); first != answersAtOnce || again != 0 || other != answersAtOnce {
		t.Errorf("a is answered %d times, then %d, and b %d", first, again, other)
	}
	clock.SetTime(clock.Now().Add(2 * time.Second))
	if n := answered("a"); n != 2*answersPerSecond {
		t.Errorf("two seconds later a is answered %d times", n)
	}
}
