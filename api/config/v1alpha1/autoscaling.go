package v1alpha1

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// AutoscalingRequest is a kind of object by which cluster autoscalers are asked for
// room.
type AutoscalingRequest string

const (
	// NoRequest makes no objects. Autoscalers see one pod of a gang that lacks room,
	// by its condition.
	NoRequest AutoscalingRequest = "None"
	// RequestProvisioning makes one ProvisioningRequest for each gang, for
	// cluster-autoscaler.
	RequestProvisioning AutoscalingRequest = "ProvisioningRequest"
	// RequestBuffers makes a CapacityBuffer for each kind of member, for Karpenter or
	// cluster-autoscaler.
	RequestBuffers AutoscalingRequest = "CapacityBuffer"
)

// Autoscaling tells cluster autoscalers what gangs have no room for.
type Autoscaling struct {
	// Request is None, ProvisioningRequest or CapacityBuffer. With the last two all
	// members are asked for that a gang lacks to start, those that have no pod yet
	// included, and none of its pods is marked as Unschedulable. Default: None.
	Request AutoscalingRequest `json:"request,omitempty"`
	// ProvisioningClassName is the class of ProvisioningRequests.
	// Default: best-effort-atomic-scale-up.autoscaling.x-k8s.io.
	ProvisioningClassName string `json:"provisioningClassName,omitempty"`
	// MarkPods marks every pod that waits for room as Unschedulable, at most a
	// hundred in a second, so that autoscalers make room for each. Requests are then
	// for members that have no pod yet. Default: false.
	MarkPods bool `json:"markPods,omitempty"`
	// After is how long a gang must lack the same room until it is asked for. It
	// counts only with a request or with marked pods. Default: 5s.
	After metav1.Duration `json:"after,omitzero"`
}

// Asks says whether autoscalers are told of more than one pod of a gang.
func (a *Autoscaling) Asks() bool { return a.Request != NoRequest || a.MarkPods }

func (a *Autoscaling) setDefaults() {
	orString(&a.Request, NoRequest)
	orString(&a.ProvisioningClassName, "best-effort-atomic-scale-up.autoscaling.x-k8s.io")
	orDuration(&a.After, 5*time.Second)
}

func (a *Autoscaling) validate(path *field.Path) field.ErrorList {
	var errs field.ErrorList
	switch a.Request {
	case NoRequest, RequestProvisioning, RequestBuffers:
	default:
		errs = append(errs, field.NotSupported(path.Child("request"), a.Request, []AutoscalingRequest{NoRequest, RequestProvisioning, RequestBuffers}))
	}
	for _, msg := range validation.IsDNS1123Subdomain(a.ProvisioningClassName) {
		errs = append(errs, field.Invalid(path.Child("provisioningClassName"), a.ProvisioningClassName, msg))
	}
	return append(errs, positive(path.Child("after"), a.After)...)
}
