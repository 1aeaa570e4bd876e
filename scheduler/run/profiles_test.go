package run

import (
	"slices"
	"testing"

	schedulerconfig "k8s.io/kubernetes/pkg/scheduler/apis/config"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/names"

	config "muster.sh/muster/api/config/v1alpha1"
	"muster.sh/muster/scheduler/plugin"
)

func TestEveryProfileHasOurPluginsInThePlaceOfThoseTheyWrap(t *testing.T) {
	for serve, want := range map[bool][]string{false: {"muster"}, true: {"muster", "default-scheduler"}} {
		c := config.NewSchedulerConfiguration()
		c.ServeDefaultScheduler = serve
		kube, err := kubeSchedulerConfig(c)
		if err != nil {
			t.Fatal(err)
		}
		var served []string
		for _, p := range kube.Profiles {
			served = append(served, p.SchedulerName)
			var enabled []string
			for _, e := range p.Plugins.MultiPoint.Enabled {
				enabled = append(enabled, e.Name)
			}
			for name, in := range map[string]bool{
				plugin.Name: true, plugin.PreemptionName: true, names.NodeResourcesFit: true, names.VolumeBinding: true,
				names.DefaultBinder: false, names.DefaultPreemption: false,
			} {
				if slices.Contains(enabled, name) != in {
					t.Errorf("profile %s has plugin %s: %v", p.SchedulerName, name, !in)
				}
			}
			if first := p.Plugins.PreFilter.Enabled; len(first) != 1 || first[0].Name != plugin.Name {
				t.Errorf("profile %s asks %v before the stock PreFilter plugins", p.SchedulerName, first)
			}
			args := slices.IndexFunc(p.PluginConfig, func(c schedulerconfig.PluginConfig) bool { return c.Name == plugin.PreemptionName })
			if args < 0 {
				t.Errorf("profile %s has no arguments for %s", p.SchedulerName, plugin.PreemptionName)
			}
		}
		if !slices.Equal(served, want) {
			t.Errorf("served: %v, want %v", served, want)
		}
	}
}
