package v1alpha1

import (
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
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
	c.Spark.setDefaults()
	c.TensorFlow.setDefaults()
}

func (s *SparkApplications) setDefaults() {
	orString(&s.SchedulerName, "muster")
	orString(&s.User, "spark")
	if s.MaxTrackedExecutors == nil {
		s.MaxTrackedExecutors = ptr.To(1000)
	}
	if s.Workers == 0 {
		s.Workers = 8
	}
	orPointer(&s.Connect, true)
	orPointer(&s.Progress.Interval, metav1.Duration{Duration: 10 * time.Second})
}

func (t *TensorFlow) setDefaults() {
	orString(&t.SchedulerName, "muster")
	orString(&t.Gangs, GangAuto)
	if t.Workers == 0 {
		t.Workers = 8
	}
}
