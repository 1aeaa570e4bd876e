package operator

import (
	"context"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
)

const (
	// tenants are the namespaces that the applications are spread over. In a single one
	// with thousands of Services, Kubernetes' controllers compare each pod with each
	// Service, and the machine is theirs.
	tenants      = 20
	tenantPrefix = "tenant-"
	// accountPoll is how often it is seen whether a namespace can have pods.
	accountPoll = 100 * time.Millisecond
)

// tenant is the namespace of an application.
func tenant(i int) string { return fmt.Sprintf("%s%02d", tenantPrefix, i%tenants) }

func isTenant(namespace string) bool { return strings.HasPrefix(namespace, tenantPrefix) }

// makeTenants makes the namespaces, and waits until pods can be in them.
func makeTenants(ctx context.Context, client kubernetes.Interface) error {
	for i := range tenants {
		namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: tenant(i)}}
		if _, err := client.CoreV1().Namespaces().Create(ctx, namespace, metav1.CreateOptions{}); err != nil {
			return fmt.Errorf("make a namespace: %w", err)
		}
	}
	for i := range tenants {
		err := wait.PollUntilContextCancel(ctx, accountPoll, true, func(ctx context.Context) (bool, error) { return furnished(ctx, client, tenant(i)) })
		if err != nil {
			return fmt.Errorf("wait for the account of namespace %s: %w", tenant(i), err)
		}
	}
	return nil
}

// furnished says whether a namespace has all that Kubernetes puts into each.
func furnished(ctx context.Context, client kubernetes.Interface, namespace string) (bool, error) {
	_, err := client.CoreV1().ServiceAccounts(namespace).Get(ctx, "default", metav1.GetOptions{})
	if err == nil {
		_, err = client.CoreV1().ConfigMaps(namespace).Get(ctx, "kube-root-ca.crt", metav1.GetOptions{})
	}
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	return err == nil, err
}
