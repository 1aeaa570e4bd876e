package run

import (
	"context"
	"fmt"
	"maps"

	utilfeature "k8s.io/apiserver/pkg/util/feature"
	"k8s.io/client-go/discovery"
	"k8s.io/component-base/featuregate"
	"k8s.io/kubernetes/pkg/features"
)

// setGates sets kube-scheduler's feature gates, process wide: those of the API
// server's version, ours over them, and over these the ones that the user asks for.
//
// NominatedNodeNameForExpectation is off. It would write a nomination for every member
// that has a volume to bind, and leave it behind when the gang is planned anew. It is
// a hint to autoscalers about pods whose binding takes long.
//
// GenericWorkload stays off as it is by default: two books of gangs do not mix.
// Kubernetes' own PodGroups are gangs of ours all the same, where the API server has
// that gate on.
func setGates(ctx context.Context, server discovery.ServerVersionInterface, asked map[string]bool) error {
	gate := utilfeature.DefaultMutableFeatureGate
	if err := emulate(ctx, server, gate); err != nil {
		return err
	}
	gates := map[string]bool{string(features.NominatedNodeNameForExpectation): false}
	maps.Copy(gates, asked)
	withoutUnborn(gates, gate)
	if err := gate.SetFromMap(gates); err != nil {
		return fmt.Errorf("feature gates: %w", err)
	}
	if gate.Enabled(features.GenericWorkload) {
		return fmt.Errorf("feature gate %s: this scheduler takes PodGroups for gangs of its own; leave it off here, and on for the API server", features.GenericWorkload)
	}
	return nil
}

// withoutUnborn takes away what is to be off and does not exist yet in the version
// that is emulated. It is off there, and may not be set even so.
func withoutUnborn(gates map[string]bool, gate featuregate.MutableVersionedFeatureGate) {
	born, ever := gate.GetAll(), gate.GetAllVersioned()
	maps.DeleteFunc(gates, func(name string, on bool) bool {
		_, isBorn := born[featuregate.Feature(name)]
		_, isKnown := ever[featuregate.Feature(name)]
		return !on && isKnown && !isBorn
	})
}
