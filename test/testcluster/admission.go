package testcluster

import (
	"context"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// AwaitAdmission waits until the API server takes an object, or no longer does. It has
// no news of when it heeds a policy.
func AwaitAdmission(ctx context.Context, t *testing.T, c client.Client, object client.Object, taken bool) {
	t.Helper()
	var last error
	err := wait.PollUntilContextTimeout(ctx, 100*time.Millisecond, time.Minute, true, func(ctx context.Context) (bool, error) {
		last = c.Create(ctx, object.DeepCopyObject().(client.Object), client.DryRunAll)
		return (last == nil) == taken, nil
	})
	if err != nil {
		t.Fatalf("%s is not admitted as it should be: %v", object.GetName(), last)
	}
}
