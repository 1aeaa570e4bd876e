package localcluster

import (
	"reflect"
	"slices"
	"testing"

	chart "muster.sh/muster/charts/muster"
)

func TestMustersSchedulerHasTheRightsThatTheChartGivesIt(t *testing.T) {
	const header = "apiVersion: config.muster.sh/v1alpha1\nkind: SchedulerConfiguration\n"
	least := chart.SchedulerClusterRules()
	asking := slices.Concat(least, chart.SchedulerAutoscalingRules())
	for configuration, want := range map[string]any{
		"":     least,
		header: least,
		header + "autoscaling: {markPods: true}\n":           least,
		header + "autoscaling: {request: None}\n":            least,
		header + "autoscaling: {request: CapacityBuffer}\n":  asking,
		header + "placement: {strategy: Spread}\n":           least,
		header + "autoscaling: {request: CapacityBuffers}\n": nil,
	} {
		got, err := schedulerRules(configuration)
		if want == nil {
			if err == nil {
				t.Errorf("%q is taken", configuration)
			}
			continue
		}
		if err != nil || !reflect.DeepEqual(any(got), want) {
			t.Errorf("%q: %v, error %v", configuration, got, err)
		}
	}
}
