package operator

import (
	"context"
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
)

// inventory lists what there is in the namespaces of the tenants, of every kind that can be listed.
type inventory struct {
	client    metadata.Interface
	resources []schema.GroupVersionResource
	// before is what was there before all applications.
	before map[types.UID]bool
}

// takeInventory finds all kinds, and notes what is there already.
func takeInventory(ctx context.Context, config *rest.Config) (*inventory, error) {
	finder, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
	}
	config = rest.CopyConfig(config)
	config.WarningHandler = rest.NoWarnings{} // of kinds that are going out of use
	client, err := metadata.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
	}
	lists, err := finder.ServerPreferredNamespacedResources()
	if err != nil {
		return nil, fmt.Errorf("find what there may be in a namespace: %w", err)
	}
	i := &inventory{client: client, before: map[types.UID]bool{}}
	for _, list := range lists {
		version, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			return nil, fmt.Errorf("find what there may be in a namespace: %w", err)
		}
		for _, r := range list.APIResources {
			// Events go when their time has come, whatever they tell of.
			if r.Kind != "Event" && slices.Contains(r.Verbs, "list") {
				i.resources = append(i.resources, version.WithResource(r.Name))
			}
		}
	}
	err = i.each(ctx, func(_ schema.GroupVersionResource, o *metav1.PartialObjectMetadata) { i.before[o.UID] = true })
	return i, err
}

// each calls a function with every object that has come since the inventory was taken.
func (i *inventory) each(ctx context.Context, visit func(schema.GroupVersionResource, *metav1.PartialObjectMetadata)) error {
	for _, resource := range i.resources {
		list, err := i.client.Resource(resource).Namespace(metav1.NamespaceAll).List(ctx, metav1.ListOptions{})
		if err != nil {
			return fmt.Errorf("list %s: %w", resource.Resource, err)
		}
		for j := range list.Items {
			if o := &list.Items[j]; isTenant(o.Namespace) && !i.before[o.UID] {
				visit(resource, o)
			}
		}
	}
	return nil
}

// unowned counts what nobody owns, by kind, but for applications: it would stay when they
// go. Endpoints have no owner either, and are the cluster's own doing.
func (i *inventory) unowned(ctx context.Context) (map[string]int, error) {
	counts := map[string]int{}
	err := i.each(ctx, func(r schema.GroupVersionResource, o *metav1.PartialObjectMetadata) {
		if len(o.OwnerReferences) == 0 && r.Resource != "sparkapplications" && r.Resource != "endpoints" {
			counts[r.Resource]++
		}
	})
	return counts, err
}

const (
	leftPoll = 2 * time.Second
	// settled is how long nothing may have gone until nothing will.
	settled = 30 * time.Second
)

// left waits for all to go that has come, and counts what stays, by kind.
func (i *inventory) left(ctx context.Context) (map[string]int, error) {
	ticker := time.NewTicker(leftPoll)
	defer ticker.Stop()
	least, at := -1, time.Now()
	for {
		counts, sum := map[string]int{}, 0
		err := i.each(ctx, func(r schema.GroupVersionResource, _ *metav1.PartialObjectMetadata) {
			counts[r.Resource]++
			sum++
		})
		if err != nil {
			return nil, err
		}
		if least < 0 || sum < least {
			least, at = sum, time.Now()
		}
		if sum == 0 || time.Since(at) > settled {
			return counts, nil
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return counts, context.Cause(ctx)
		}
	}
}
