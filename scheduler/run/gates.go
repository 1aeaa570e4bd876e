package run

import (
	"fmt"
	"maps"

	resourceapi "k8s.io/api/resource/v1"
	utilfeature "k8s.io/apiserver/pkg/util/feature"
	"k8s.io/client-go/discovery"
	"k8s.io/kubernetes/pkg/features"

	"muster.sh/muster/scheduler/source"
)

// setGates sets kube-scheduler's feature gates, process wide: ours, and over
// them those that the user asks for.
//
//   - NominatedNodeNameForExpectation would write a nomination for every member
//     that has a volume to bind, and leave it behind when the gang is planned
//     anew. It is a hint to autoscalers about pods whose binding takes long.
//   - DRADeviceTaintRules makes kube-scheduler wait for objects that API servers
//     before 1.37 do not serve, for ever.
//
// GenericWorkload stays off as it is by default: two books of gangs do not mix.
// Kubernetes' own PodGroups are gangs of ours all the same, where the API server has
// that gate on.
func setGates(server discovery.DiscoveryInterface, asked map[string]bool) error {
	taintRules, err := source.Serves(server, resourceapi.SchemeGroupVersion, "devicetaintrules")
	if err != nil {
		return err
	}
	gates := map[string]bool{string(features.NominatedNodeNameForExpectation): false}
	if !taintRules {
		gates[string(features.DRADeviceTaintRules)] = false
	}
	maps.Copy(gates, asked)
	if err := utilfeature.DefaultMutableFeatureGate.SetFromMap(gates); err != nil {
		return fmt.Errorf("feature gates: %w", err)
	}
	if utilfeature.DefaultFeatureGate.Enabled(features.GenericWorkload) {
		return fmt.Errorf("feature gate %s: this scheduler takes PodGroups for gangs of its own; leave it off here, and on for the API server", features.GenericWorkload)
	}
	return nil
}
