package v1alpha1

import (
	"net"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Validate returns everything that is wrong with a configuration that has its
// defaults, each with the path of the field.
func (c *SchedulerConfiguration) Validate() field.ErrorList {
	var errs field.ErrorList
	errs = append(errs, c.validateName(field.NewPath("schedulerName"))...)
	errs = append(errs, c.ClientConnection.validate(field.NewPath("clientConnection"))...)
	errs = append(errs, c.LeaderElection.validate(field.NewPath("leaderElection"))...)
	errs = append(errs, c.Serving.validate(field.NewPath("serving"))...)
	errs = append(errs, c.Gangs.validate(field.NewPath("gangs"))...)
	errs = append(errs, c.Placement.validate(field.NewPath("placement"))...)
	errs = append(errs, c.Consolidation.validate(field.NewPath("consolidation"))...)
	errs = append(errs, c.Reclaim.validate(field.NewPath("reclaim"))...)
	errs = append(errs, c.Backfill.validate(field.NewPath("backfill"))...)
	errs = append(errs, c.Spark.validate(field.NewPath("spark"))...)
	errs = append(errs, c.PodGroups.validate(field.NewPath("podGroups"))...)
	errs = append(errs, c.Autoscaling.validate(field.NewPath("autoscaling"))...)
	errs = append(errs, c.Record.validate(field.NewPath("record"))...)
	return errs
}

func (c *SchedulerConfiguration) validateName(path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for _, msg := range validation.IsDNS1123Subdomain(c.SchedulerName) {
		errs = append(errs, field.Invalid(path, c.SchedulerName, msg))
	}
	if c.SchedulerName == corev1.DefaultSchedulerName {
		errs = append(errs, field.Invalid(path, c.SchedulerName, "choose another name, and set serveDefaultScheduler to serve this one too"))
	}
	return errs
}

func (c *ClientConnection) validate(path *field.Path) field.ErrorList {
	if c.Burst >= 0 {
		return nil
	}
	return field.ErrorList{field.Invalid(path.Child("burst"), c.Burst, "must not be negative")}
}

func (l *LeaderElection) validate(path *field.Path) field.ErrorList {
	if !*l.LeaderElect {
		return nil
	}
	errs := positive(path.Child("retryPeriod"), l.RetryPeriod)
	if l.RenewDeadline.Duration <= l.RetryPeriod.Duration {
		errs = append(errs, field.Invalid(path.Child("renewDeadline"), l.RenewDeadline.Duration.String(), "must be longer than retryPeriod"))
	}
	if l.LeaseDuration.Duration <= l.RenewDeadline.Duration {
		errs = append(errs, field.Invalid(path.Child("leaseDuration"), l.LeaseDuration.Duration.String(), "must be longer than renewDeadline"))
	}
	for _, msg := range validation.IsDNS1123Subdomain(l.ResourceName) {
		errs = append(errs, field.Invalid(path.Child("resourceName"), l.ResourceName, msg))
	}
	for _, msg := range validation.IsDNS1123Label(l.ResourceNamespace) {
		errs = append(errs, field.Invalid(path.Child("resourceNamespace"), l.ResourceNamespace, msg))
	}
	return errs
}

func (s *Serving) validate(path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if net.ParseIP(s.BindAddress) == nil {
		errs = append(errs, field.Invalid(path.Child("bindAddress"), s.BindAddress, "must be an IP address"))
	}
	errs = append(errs, validatePort(path.Child("port"), *s.Port)...)
	if (s.CertFile == "") != (s.KeyFile == "") {
		errs = append(errs, field.Invalid(path.Child("certFile"), s.CertFile, "must be given together with keyFile"))
	}
	return errs
}

func validatePort(path *field.Path, port int32) field.ErrorList {
	if port >= 0 && port <= 65535 {
		return nil
	}
	return field.ErrorList{field.Invalid(path, port, "must be between 0 and 65535")}
}

func (g *Gangs) validate(path *field.Path) field.ErrorList {
	errs := positive(path.Child("expectedMemberTimeout"), g.ExpectedMemberTimeout)
	if wait := g.ExpectedMemberBackOff.Duration; wait < 0 || wait > 30*time.Minute {
		errs = append(errs, field.Invalid(path.Child("expectedMemberBackOff"), wait.String(), "must be between 0s and 30m"))
	}
	errs = append(errs, g.BelowMinimum.validate(path.Child("belowMinimum"))...)
	if g.MaxAttempts < 1 {
		errs = append(errs, field.Invalid(path.Child("maxAttempts"), g.MaxAttempts, "must be at least 1"))
	}
	return append(errs, positive(path.Child("retryAfter"), g.RetryAfter)...)
}

func (b *BelowMinimum) validate(path *field.Path) field.ErrorList {
	errs := positive(path.Child("timeout"), b.Timeout)
	switch b.Policy {
	case ContinueBelowMinimum, WaitBelowMinimum, GoBelowMinimum:
		return errs
	}
	return append(errs, field.NotSupported(path.Child("policy"), b.Policy, []BelowMinimumPolicy{ContinueBelowMinimum, WaitBelowMinimum, GoBelowMinimum}))
}

func (p *Placement) validate(path *field.Path) field.ErrorList {
	switch p.Strategy {
	case Pack, Spread, Fragmentation:
		return nil
	}
	return field.ErrorList{field.NotSupported(path.Child("strategy"), p.Strategy, []Strategy{Pack, Spread, Fragmentation})}
}

func (c *Consolidation) validate(path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if c.MaxMoves < 1 || c.MaxMoves > 100 {
		errs = append(errs, field.Invalid(path.Child("maxMoves"), c.MaxMoves, "must be from 1 to 100"))
	}
	if *c.MaxTries < 0 {
		errs = append(errs, field.Invalid(path.Child("maxTries"), *c.MaxTries, "must not be negative"))
	}
	errs = append(errs, positive(path.Child("after"), c.After)...)
	errs = append(errs, positive(path.Child("cooldown"), c.Cooldown)...)
	return append(errs, positive(path.Child("timeout"), c.Timeout)...)
}

func (r *Reclaim) validate(path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if r.MaxEvictions < 1 {
		errs = append(errs, field.Invalid(path.Child("maxEvictions"), r.MaxEvictions, "must be at least 1"))
	}
	if *r.MaxTries < 0 {
		errs = append(errs, field.Invalid(path.Child("maxTries"), *r.MaxTries, "must not be negative"))
	}
	if r.MinRuntime.Duration < 0 {
		errs = append(errs, field.Invalid(path.Child("minRuntime"), r.MinRuntime.Duration.String(), "must not be negative"))
	}
	errs = append(errs, positive(path.Child("after"), r.After)...)
	errs = append(errs, positive(path.Child("cooldown"), r.Cooldown)...)
	return append(errs, positive(path.Child("timeout"), r.Timeout)...)
}

func (b *Backfill) validate(path *field.Path) field.ErrorList {
	if *b.Depth >= 0 {
		return nil
	}
	return field.ErrorList{field.Invalid(path.Child("depth"), *b.Depth, "must not be negative")}
}

func (s *Spark) validate(path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if *s.MinExecutorsFloor < 0 {
		errs = append(errs, field.Invalid(path.Child("minExecutorsFloor"), *s.MinExecutorsFloor, "must not be negative"))
	}
	errs = append(errs, positive(path.Child("configMapTimeout"), s.ConfigMapTimeout)...)
	return append(errs, positive(path.Child("settleTime"), s.SettleTime)...)
}

func (g *PodGroups) validate(path *field.Path) field.ErrorList {
	if g.Empty == IgnoreEmpty || g.Empty == EnqueueEmpty {
		return nil
	}
	return field.ErrorList{field.NotSupported(path.Child("empty"), g.Empty, []EmptyPolicy{IgnoreEmpty, EnqueueEmpty})}
}

// minRecord holds the header and some events at least.
var minRecord = resource.MustParse("1Mi")

func (r *Record) validate(path *field.Path) field.ErrorList {
	if r.MaxSize.Cmp(minRecord) >= 0 {
		return nil
	}
	return field.ErrorList{field.Invalid(path.Child("maxSize"), r.MaxSize.String(), "must be at least "+minRecord.String())}
}

func positive(path *field.Path, d metav1.Duration) field.ErrorList {
	if d.Duration > 0 {
		return nil
	}
	return field.ErrorList{field.Invalid(path, d.Duration.String(), "must be longer than 0s")}
}
