package run

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	schedulerconfig "k8s.io/kubernetes/pkg/scheduler/apis/config"
	"k8s.io/kubernetes/pkg/scheduler/apis/config/latest"
	"k8s.io/kubernetes/pkg/scheduler/apis/config/validation"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/names"

	config "muster.sh/muster/api/config/v1alpha1"
	"muster.sh/muster/scheduler/plugin"
)

// kubeSchedulerConfig is kube-scheduler's default configuration with a profile
// for each name that is served, each with our plugins in the place of those
// that they wrap.
func kubeSchedulerConfig(c *config.SchedulerConfiguration) (*schedulerconfig.KubeSchedulerConfiguration, error) {
	kube, err := latest.Default()
	if err != nil {
		return nil, fmt.Errorf("default configuration of kube-scheduler: %w", err)
	}
	schedulerNames := []string{c.SchedulerName}
	if c.ServeDefaultScheduler {
		schedulerNames = append(schedulerNames, corev1.DefaultSchedulerName)
	}
	stock := kube.Profiles[0]
	kube.Profiles = nil
	for _, name := range schedulerNames {
		profile, err := withGangs(*stock.DeepCopy(), name)
		if err != nil {
			return nil, err
		}
		kube.Profiles = append(kube.Profiles, profile)
	}
	if err := validation.ValidateKubeSchedulerConfiguration(kube); err != nil {
		return nil, fmt.Errorf("configuration of kube-scheduler: %w", err)
	}
	return kube, nil
}

func withGangs(profile schedulerconfig.KubeSchedulerProfile, name string) (schedulerconfig.KubeSchedulerProfile, error) {
	profile.SchedulerName = name
	enabled := profile.Plugins.MultiPoint.Enabled
	for stock, ours := range map[string]string{
		names.DefaultBinder:     plugin.Name,
		names.DefaultPreemption: plugin.PreemptionName,
	} {
		i := slices.IndexFunc(enabled, func(p schedulerconfig.Plugin) bool { return p.Name == stock })
		if i < 0 {
			return profile, fmt.Errorf("kube-scheduler's default profile has no plugin %s", stock)
		}
		enabled[i].Name = ours
	}
	// Ours is asked before the stock ones: what ends with its answer, such as a
	// member's signature or a cycle whose plan is gone, costs none of theirs.
	profile.Plugins.PreFilter.Enabled = []schedulerconfig.Plugin{{Name: plugin.Name}}
	for i := range profile.PluginConfig {
		if profile.PluginConfig[i].Name == names.DefaultPreemption {
			profile.PluginConfig[i].Name = plugin.PreemptionName
		}
	}
	return profile, nil
}
