package run

import (
	config "muster.sh/muster/api/config/v1alpha1"
	"muster.sh/muster/scheduler/effects"
)

// requestKinds are the objects that ask for room, by their names in the configuration.
var requestKinds = map[config.AutoscalingRequest]effects.RequestKind{
	config.RequestProvisioning: effects.ProvisioningRequest,
	config.RequestBuffers:      effects.CapacityBuffer,
}

func autoscaling(c *config.Autoscaling) effects.Autoscaling {
	return effects.Autoscaling{Request: requestKinds[c.Request], Class: c.ProvisioningClassName, MarkPods: c.MarkPods}
}
