package sparkoperator

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"muster.sh/muster/internal/localcluster"
	"muster.sh/muster/test/testcluster"
)

// tellsMetrics waits until the operator's metrics have all of some lines.
func (s *stage) tellsMetrics(ctx context.Context, t *testing.T, want ...string) {
	t.Helper()
	state, err := localcluster.ReadState(s.Dir())
	if err != nil {
		t.Fatal(err)
	}
	s.tellsMetricsAt(ctx, t, state.Ports[localcluster.OperatorsComponent], want...)
}

// tellsMetricsAt is tellsMetrics for an operator that serves on a port.
func (s *stage) tellsMetricsAt(ctx context.Context, t *testing.T, port int, want ...string) {
	t.Helper()
	url := fmt.Sprintf("https://127.0.0.1:%d/metrics", port)
	token := s.readerOfMetrics(ctx, t)
	// They are counted from the same news as the test has, but maybe a little later.
	var page string
	err := wait.PollUntilContextTimeout(ctx, 100*time.Millisecond, time.Minute, true, func(ctx context.Context) (bool, error) {
		got, err := get(ctx, url, token)
		if err != nil {
			return false, err
		}
		page = got
		lines := strings.Split(page, "\n")
		return !slices.ContainsFunc(want, func(line string) bool { return !slices.Contains(lines, line) }), nil
	})
	if err != nil {
		t.Errorf("%v; the metrics are\n%s", err, page)
	}
}

// readerOfMetrics is a service account, as Prometheus has one, that may read metrics.
func (s *stage) readerOfMetrics(ctx context.Context, t *testing.T) (token string) {
	t.Helper()
	meta := metav1.ObjectMeta{Name: "prometheus"}
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: meta.Name, Namespace: testcluster.Namespace}}
	role := &rbacv1.ClusterRole{ObjectMeta: meta, Rules: []rbacv1.PolicyRule{{NonResourceURLs: []string{"/metrics"}, Verbs: []string{"get"}}}}
	binding := &rbacv1.ClusterRoleBinding{
		ObjectMeta: meta,
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role.Name},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: account.Namespace, Name: account.Name}},
	}
	for _, err := range []error{s.client.Create(ctx, account), s.client.Create(ctx, role), s.client.Create(ctx, binding)} {
		if client.IgnoreAlreadyExists(err) != nil {
			t.Fatal(err)
		}
	}
	request := &authenticationv1.TokenRequest{}
	if err := s.client.SubResource("token").Create(ctx, account, request); err != nil {
		t.Fatal(err)
	}
	return request.Status.Token
}

func get(ctx context.Context, url, token string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	caller := http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, // It is this machine.
	}}
	defer caller.CloseIdleConnections()
	response, err := caller.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("GET %s: %s: %s", url, response.Status, body)
	}
	return string(body), err
}
