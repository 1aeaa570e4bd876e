package run

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	config "muster.sh/muster/api/config/v1alpha1"
	explainv1 "muster.sh/muster/api/explain/v1"
	"muster.sh/muster/test/testcluster"
)

// token is one of a service account, which is created if need be.
func (s *stage) token(account string) string {
	s.t.Helper()
	accounts := s.client.CoreV1().ServiceAccounts("default")
	if _, err := accounts.Get(s.ctx, account, metav1.GetOptions{}); err != nil {
		if _, err := accounts.Create(s.ctx, &v1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: account}}, metav1.CreateOptions{}); err != nil {
			s.t.Fatal(err)
		}
	}
	answer, err := accounts.CreateToken(s.ctx, account, &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		s.t.Fatal(err)
	}
	return answer.Status.Token
}

// ask asks a scheduler for a path, as whoever has a token, and reads the answer.
func (s *stage) ask(base, token, path string, into any) (status int) {
	s.t.Helper()
	return s.send(http.MethodGet, base, token, path, "", into)
}

func (s *stage) send(method, base, token, path, body string, into any) (status int) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.ctx, method, strings.TrimSuffix(base, "/gangs")+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	client := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}, Timeout: patienceOfTests}
	defer client.CloseIdleConnections()
	answer, err := client.Do(r)
	if err != nil {
		s.t.Log(err)
		return 0
	}
	defer answer.Body.Close()
	if err := json.NewDecoder(answer.Body).Decode(into); err != nil {
		s.t.Logf("%s: %d %v", path, answer.StatusCode, err)
	}
	return answer.StatusCode
}

func TestTenantsAskWhyTheyWait(t *testing.T) {
	s := newStage(t, 2, "cpu=4,memory=16Gi")
	elect := func(c *config.SchedulerConfiguration) {
		on := true
		c.LeaderElection.LeaderElect = &on
		c.LeaderElection.RetryPeriod.Duration = 500 * time.Millisecond
	}
	examples := testcluster.Examples(t, "../../docs/api.md", "ClusterRole", "ClusterRoleBinding", "ServiceAccount", "RoleBinding")
	if err := s.Apply(s.ctx, examples...); err != nil {
		t.Fatal(err)
	}
	s.schedule(elect)
	leader := s.gangs
	s.podGroup("small", 1)
	s.pod("small-0", "small", "1")
	s.awaitBound("small-0")
	s.podGroup("big", 4)
	for i := range 4 {
		s.pod(fmt.Sprint("big-", i), "big", "2")
	}

	analyst, stranger := s.token("analyst"), s.token("stranger")
	var list explainv1.GangList
	s.await("the tenant is told", func() bool {
		list = explainv1.GangList{}
		return s.ask(leader, analyst, "/v1/gangs?verdict=NoRoom", &list) == http.StatusOK && len(list.Items) == 1
	})
	if g := list.Items[0]; g.Name != "big" || g.Place != 1 || g.Verdict.Nodes != 2 || g.Verdict.Since.IsZero() || list.Others.Gangs != 0 {
		t.Errorf("he is told %+v", list)
	}
	var one explainv1.Gang
	if status := s.ask(leader, analyst, "/v1/gangs/default/small", &one); status != http.StatusOK || len(one.Slots) != 1 || one.Slots[0].Pod != "small-0" {
		t.Errorf("%d %+v", status, one)
	}
	list = explainv1.GangList{}
	if status := s.ask(leader, stranger, "/v1/gangs", &list); status != http.StatusOK || len(list.Items) != 0 || list.Others.Gangs != 2 {
		t.Errorf("a stranger is told %d %+v", status, list)
	}
	var problem explainv1.Problem
	if status := s.ask(leader, stranger, "/v1/gangs/default/small", &problem); status != http.StatusForbidden || problem.Status != status {
		t.Errorf("a stranger is told %d %+v", status, problem)
	}
	var queues explainv1.QueueList
	if status := s.ask(leader, stranger, "/v1/queues", &queues); status != http.StatusOK || len(queues.Items) != 1 || queues.Items[0].Used["cpu"] != "1" {
		t.Errorf("a stranger is told %d %+v", status, queues)
	}
	const question = `{"namespace":"default","priority":1,"members":[{"count":3,"template":{"spec":{"containers":[{"name":"c","resources":{"limits":{"cpu":"2"}}}]}}}]}`
	var foretold explainv1.Foretold
	if status := s.send(http.MethodPost, leader, analyst, "/v1/whatif", question, &foretold); status != http.StatusOK || !foretold.Starts || len(foretold.Placings) != 2 {
		t.Errorf("he is foretold %d %+v", status, foretold)
	}
	if status := s.send(http.MethodPost, leader, stranger, "/v1/whatif", question, &problem); status != http.StatusForbidden {
		t.Errorf("a stranger is foretold %d %+v", status, problem)
	}
	// Without a token nobody is told anything.
	if status := s.ask(leader, "", "/v1/queues", &struct{}{}); status != http.StatusForbidden {
		t.Errorf("anybody is told %d", status)
	}

	s.schedule(elect)
	follower := s.gangs
	lease, err := s.client.CoordinationV1().Leases("kube-system").Get(s.ctx, "muster-scheduler", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	s.await("a follower names the leader", func() bool {
		problem = explainv1.Problem{}
		return s.ask(follower, analyst, "/v1/gangs", &problem) == http.StatusServiceUnavailable && problem.Leader == *lease.Spec.HolderIdentity
	})
}
