// Package simnode plays the kubelets of simulated nodes with KWOK's
// controllers: a pod that is bound to one becomes Running at once, stays so
// until someone changes its status, and goes when it is deleted.
package simnode

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/utils/clock"
	"sigs.k8s.io/kwok/pkg/client/clientset/versioned"
	"sigs.k8s.io/kwok/pkg/kwok/controllers"
)

// Parallelism of KWOK's writes. Two cores are busy with this many.
const (
	podWriters  = 16
	nodeWriters = 4
	podListers  = 4
)

// Run plays the nodes that nodeSelector selects until ctx ends.
//
// No leases are kept: a KWOK that is started again would wait for the old
// lease's end, and renewing thousands of leases is load that no test asked for.
func Run(ctx context.Context, config *rest.Config, nodeSelector string) error {
	config = rest.CopyConfig(config)
	config.QPS = -1
	typed, err := kubernetes.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("make client: %w", err)
	}
	dynamicClient, err := dynamic.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("make client: %w", err)
	}
	kwokClient, err := versioned.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("make client: %w", err)
	}
	stages, err := stages()
	if err != nil {
		return err
	}
	controller, err := controllers.NewController(controllers.Config{
		Clock:                        clock.RealClock{},
		DynamicClient:                dynamicClient,
		RESTClient:                   typed.CoreV1().RESTClient(),
		RESTMapper:                   restMapper(typed),
		TypedClient:                  typed,
		TypedKwokClient:              kwokClient,
		ManageNodesWithLabelSelector: nodeSelector,
		CIDR:                         "10.127.0.1/16", // for a node without a pod range of its own
		LocalStages:                  stages,
		PodPlayStageParallelism:      podWriters,
		NodePlayStageParallelism:     nodeWriters,
		PodsOnNodeSyncParallelism:    podListers,
		ID:                           "muster-local",
	})
	if err != nil {
		return fmt.Errorf("make KWOK controller: %w", err)
	}
	if err := controller.Start(ctx); err != nil {
		return fmt.Errorf("start KWOK controller: %w", err)
	}
	<-ctx.Done()
	return nil
}

func restMapper(client kubernetes.Interface) meta.RESTMapper {
	return restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(client.Discovery()))
}
