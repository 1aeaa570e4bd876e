package v1alpha1

import (
	"net/url"
	"regexp"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Validate returns everything that is wrong with a configuration that has its
// defaults, each with the path of the field.
func (c *OperatorsConfiguration) Validate() field.ErrorList {
	errs := c.ClientConnection.validate(field.NewPath("clientConnection"))
	for i, name := range c.Controllers {
		path := field.NewPath("controllers").Index(i)
		if !slices.Contains(Controllers, name) {
			errs = append(errs, field.NotSupported(path, name, Controllers))
		}
		if slices.Contains(c.Controllers[:i], name) {
			errs = append(errs, field.Duplicate(path, name))
		}
	}
	errs = append(errs, c.LeaderElection.validate(field.NewPath("leaderElection"))...)
	errs = append(errs, c.Serving.validate(field.NewPath("serving"))...)
	errs = append(errs, validatePort(field.NewPath("healthPort"), *c.HealthPort)...)
	if *c.HealthPort != 0 && *c.HealthPort == *c.Serving.Port {
		errs = append(errs, field.Invalid(field.NewPath("healthPort"), *c.HealthPort, "must not be serving.port"))
	}
	errs = append(errs, c.Spark.validate(field.NewPath("spark"))...)
	return append(errs, c.TensorFlow.validate(field.NewPath("tensorFlow"))...)
}

func (s *SparkApplications) validate(path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for _, msg := range validation.IsDNS1123Subdomain(s.SchedulerName) {
		errs = append(errs, field.Invalid(path.Child("schedulerName"), s.SchedulerName, msg))
	}
	if *s.MaxTrackedExecutors < 0 {
		errs = append(errs, field.Invalid(path.Child("maxTrackedExecutors"), *s.MaxTrackedExecutors, "must not be negative"))
	}
	for i, label := range s.MetricLabels {
		for _, msg := range validation.IsQualifiedName(label) {
			errs = append(errs, field.Invalid(path.Child("metricLabels").Index(i), label, msg))
		}
		if slices.Contains(s.MetricLabels[:i], label) {
			errs = append(errs, field.Duplicate(path.Child("metricLabels").Index(i), label))
		}
	}
	if s.Workers < 1 {
		errs = append(errs, field.Invalid(path.Child("workers"), s.Workers, "must be at least 1"))
	}
	if interval := s.Progress.Interval.Duration; interval != 0 && interval < time.Second {
		errs = append(errs, field.Invalid(path.Child("progress", "interval"), interval.String(), "must be at least 1s, or 0s, which asks no driver"))
	}
	if s.HistoryServer != "" {
		if at, err := url.Parse(s.HistoryServer); err != nil || at.Host == "" || at.Scheme != "http" && at.Scheme != "https" {
			errs = append(errs, field.Invalid(path.Child("historyServer"), s.HistoryServer, "must be a URL such as https://history.example.com"))
		}
	}
	return append(errs, s.Ingress.validate(path.Child("ingress"))...)
}

var ofOneApplication = regexp.MustCompile(`{{\s*\$(appName|appId)\s*}}`)

func (i *SparkIngress) validate(path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if i.URLFormat != "" && !ofOneApplication.MatchString(i.URLFormat) {
		errs = append(errs, field.Invalid(path.Child("urlFormat"), i.URLFormat, "must contain {{$appName}} or {{$appId}}, so that each application has its own"))
	}
	if i.ClassName != "" {
		for _, msg := range validation.IsDNS1123Subdomain(i.ClassName) {
			errs = append(errs, field.Invalid(path.Child("className"), i.ClassName, msg))
		}
	}
	return errs
}

func (t *TensorFlow) validate(path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for _, msg := range validation.IsDNS1123Subdomain(t.SchedulerName) {
		errs = append(errs, field.Invalid(path.Child("schedulerName"), t.SchedulerName, msg))
	}
	ways := []GangDeclaration{GangAuto, GangByPodGroup, GangByAnnotation, GangNone}
	if !slices.Contains(ways, t.Gangs) {
		errs = append(errs, field.NotSupported(path.Child("gangs"), t.Gangs, ways))
	}
	if t.ClusterDomain != "" {
		for _, msg := range validation.IsDNS1123Subdomain(t.ClusterDomain) {
			errs = append(errs, field.Invalid(path.Child("clusterDomain"), t.ClusterDomain, msg))
		}
	}
	if t.Workers < 1 {
		errs = append(errs, field.Invalid(path.Child("workers"), t.Workers, "must be at least 1"))
	}
	return errs
}
