// Package view makes the views of the cluster that controllers have of their own, in
// which there is of pods and the like only what is theirs: the manager's shared view
// would hold those of the whole cluster.
package view

import (
	"fmt"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/cluster"
)

// New makes a view that lives as long as the manager. Of the kinds that are named it
// has only what is selected.
func New(mgr ctrl.Manager, only map[client.Object]cache.ByObject, loose ...Loose) (cluster.Cluster, error) {
	kinds, err := findLoose(mgr, loose)
	if err != nil {
		return nil, err
	}
	own, err := cluster.New(mgr.GetConfig(), func(o *cluster.Options) {
		o.Scheme, o.Logger = mgr.GetScheme(), mgr.GetLogger()
		o.Cache.DefaultTransform = cache.TransformStripManagedFields()
		o.Cache.ByObject, o.Cache.NewInformer = only, kinds.informer
	})
	if err != nil {
		return nil, fmt.Errorf("connect to the cluster: %w", err)
	}
	return own, mgr.Add(own)
}
