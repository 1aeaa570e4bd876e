package v1alpha1

import (
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// NewSchedulerConfiguration returns the configuration of an empty file.
func NewSchedulerConfiguration() *SchedulerConfiguration {
	c := &SchedulerConfiguration{TypeMeta: metav1.TypeMeta{APIVersion: APIVersion, Kind: SchedulerKind}}
	c.Default()
	return c
}

// Default fills in what was left out.
func (c *SchedulerConfiguration) Default() {
	orString(&c.SchedulerName, "muster")
	c.ClientConnection.setDefaults()
	c.LeaderElection.setDefaults("muster-scheduler")
	c.Serving.setDefaults(10263)

	orDuration(&c.Gangs.ExpectedMemberTimeout, 5*time.Minute)
	orPointer(&c.Gangs.ExpectedMemberBackOff, metav1.Duration{Duration: time.Minute})
	orString(&c.Gangs.BelowMinimum.Policy, ContinueBelowMinimum)
	orDuration(&c.Gangs.BelowMinimum.Timeout, 5*time.Minute)
	if c.Gangs.MaxAttempts == 0 {
		c.Gangs.MaxAttempts = 10
	}
	orDuration(&c.Gangs.RetryAfter, time.Second)

	orString(&c.Placement.Strategy, Pack)

	if c.Consolidation.MaxMoves == 0 {
		c.Consolidation.MaxMoves = 8
	}
	orPointer(&c.Consolidation.MaxTries, 2000)
	orDuration(&c.Consolidation.After, time.Minute)
	orDuration(&c.Consolidation.Cooldown, 10*time.Minute)
	orDuration(&c.Consolidation.Timeout, 5*time.Minute)

	orPointer(&c.Reclaim.Enabled, true)
	if c.Reclaim.MaxEvictions == 0 {
		c.Reclaim.MaxEvictions = 5000
	}
	orPointer(&c.Reclaim.MaxTries, 2000)
	orDuration(&c.Reclaim.After, time.Second)
	orDuration(&c.Reclaim.Cooldown, time.Minute)
	orDuration(&c.Reclaim.Timeout, 5*time.Minute)

	orPointer(&c.Backfill.Depth, 100)

	orPointer(&c.Spark.MinExecutorsFloor, 1)
	orDuration(&c.Spark.ConfigMapTimeout, 30*time.Second)
	orDuration(&c.Spark.SettleTime, 2*time.Second)

	orString(&c.PodGroups.Empty, IgnoreEmpty)

	c.Autoscaling.setDefaults()

	if c.Record.MaxSize.IsZero() {
		c.Record.MaxSize = resource.MustParse("256Mi")
	}
}

func (c *ClientConnection) setDefaults() {
	if c.QPS == 0 {
		c.QPS = 5000
	}
	if c.Burst == 0 {
		c.Burst = 10000
	}
}

func (l *LeaderElection) setDefaults(name string) {
	orPointer(&l.LeaderElect, true)
	orDuration(&l.LeaseDuration, 15*time.Second)
	orDuration(&l.RenewDeadline, 10*time.Second)
	orDuration(&l.RetryPeriod, 2*time.Second)
	orString(&l.ResourceName, name)
	orString(&l.ResourceNamespace, metav1.NamespaceSystem)
}

func (s *Serving) setDefaults(port int32) {
	orString(&s.BindAddress, "127.0.0.1")
	orPointer(&s.Port, port)
}

func orString[T ~string](s *T, value T) {
	if *s == "" {
		*s = value
	}
}

func orDuration(d *metav1.Duration, value time.Duration) {
	if d.Duration == 0 {
		d.Duration = value
	}
}

func orPointer[T any](p **T, value T) {
	if *p == nil {
		*p = &value
	}
}
