package v1alpha1

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// NewOperatorsConfiguration returns the configuration of an empty file.
func NewOperatorsConfiguration() *OperatorsConfiguration {
	c := &OperatorsConfiguration{TypeMeta: metav1.TypeMeta{APIVersion: APIVersion, Kind: OperatorsKind}}
	c.Default()
	return c
}

// Default fills in what was left out.
func (c *OperatorsConfiguration) Default() {
	if c.Controllers == nil {
		c.Controllers = slices.Clone(Controllers)
	}
	c.ClientConnection.setDefaults()
	c.LeaderElection.setDefaults("muster-operators")
	c.Serving.setDefaults(10264)
	orPointer(&c.HealthPort, 10265)
	c.TensorFlow.setDefaults()
}

func (t *TensorFlow) setDefaults() {
	orString(&t.SchedulerName, "muster")
	orString(&t.Gangs, GangAuto)
	if t.Workers == 0 {
		t.Workers = 8
	}
}
