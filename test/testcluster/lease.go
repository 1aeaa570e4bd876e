package testcluster

import (
	"context"
	"fmt"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"
)

// AwaitLeader waits until somebody else than the given holder has a lease, such as that of
// Muster's scheduler, and returns that one.
func (c *Cluster) AwaitLeader(ctx context.Context, lease, than string) (string, error) {
	leases := cache.NewListWatchFromClient(c.Client().CoordinationV1().RESTClient(), "leases",
		metav1.NamespaceSystem, fields.OneTermEqualSelector("metadata.name", lease))
	holder := ""
	_, err := watchtools.UntilWithSync(ctx, leases, &coordinationv1.Lease{}, nil, func(event watch.Event) (bool, error) {
		lease, ok := event.Object.(*coordinationv1.Lease)
		if !ok || lease.Spec.HolderIdentity == nil {
			return false, nil
		}
		holder = *lease.Spec.HolderIdentity
		return holder != "" && holder != than, nil
	})
	if err != nil {
		return "", fmt.Errorf("wait for another leader than %q: %w", than, err)
	}
	return holder, nil
}
