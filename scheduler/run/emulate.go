package run

import (
	"context"
	"fmt"
	"reflect"
	"strings"

	"k8s.io/apimachinery/pkg/util/version"
	apiversion "k8s.io/apimachinery/pkg/version"
	"k8s.io/apiserver/pkg/util/compatibility"
	"k8s.io/client-go/discovery"
	"k8s.io/component-base/featuregate"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/feature"
)

// emulate gives kube-scheduler the feature gates that it had in the version of the
// API server. By those of its own, newer one it would wait for ever for objects that
// an older API server does not serve, and miss on nodes what their kubelets do not
// declare yet. Kubernetes' components emulate versions as far back as three before
// their own; which of them this one is built on thus says how old an API server may be.
//
// An API server that emulates a version itself tells so. A newer one than ours is
// taken for ours.
func emulate(ctx context.Context, server discovery.ServerVersionInterface, gate featuregate.MutableVersionedFeatureGate) error {
	info, err := server.ServerVersion()
	if err != nil {
		return fmt.Errorf("ask the API server for its version: %w", err)
	}
	theirs, err := minorVersion(info)
	if err != nil {
		return fmt.Errorf("the API server's version: %w", err)
	}
	ours := compatibility.DefaultBuildEffectiveVersion()
	if !theirs.LessThan(ours.EmulationVersion()) {
		return nil
	}
	ours.SetEmulationVersion(theirs)
	if errs := ours.Validate(); len(errs) > 0 {
		return fmt.Errorf("the API server is of Kubernetes %s, which is too old: %w", theirs, errs[0])
	}
	before := gate.DeepCopy()
	if err := gate.SetEmulationVersion(theirs); err != nil {
		return fmt.Errorf("emulate Kubernetes %s: %w", theirs, err)
	}
	klog.FromContext(ctx).Info("The API server is older than this scheduler: features that came later are off",
		"kubernetes", theirs, "features", lost(before, gate.DeepCopy()))
	return nil
}

// minorVersion is the version whose behaviour an API server shows. The plus sign that
// some distributions add to the minor part is not looked at.
func minorVersion(info *apiversion.Info) (*version.Version, error) {
	major, minor := info.EmulationMajor, info.EmulationMinor
	if major == "" {
		major, minor = info.Major, info.Minor
	}
	return version.ParseMajorMinor(major + "." + minor)
}

// lost lists the features of kube-scheduler's plugins that are on before, and not after.
func lost(before, after featuregate.FeatureGate) []string {
	had, have := reflect.ValueOf(feature.NewSchedulerFeaturesFromGates(before)), reflect.ValueOf(feature.NewSchedulerFeaturesFromGates(after))
	var names []string
	for i := range had.NumField() {
		if had.Field(i).Bool() && !have.Field(i).Bool() {
			names = append(names, strings.TrimPrefix(had.Type().Field(i).Name, "Enable"))
		}
	}
	return names
}
