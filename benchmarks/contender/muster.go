package contender

import (
	"context"

	"muster.sh/muster/internal/localcluster"
	"muster.sh/muster/internal/volcano"
)

// muster is this repository's scheduler. Gangs are told by Volcano PodGroups.
func muster() Contender {
	spec := localcluster.MusterScheduler()
	return Contender{
		Name: "muster", About: "Muster as it is in this checkout, default settings",
		Components: []string{spec.Name}, Users: []string{spec.User}, SchedulerName: "muster", Spark: true, Loop: true,
		Setup: func(_ context.Context, cluster *localcluster.Spec, dir string) error {
			cluster.Schedulers = append(cluster.Schedulers, spec)
			return writeManifest(cluster, dir, "podgroup.yaml", volcano.PodGroupDefinition())
		},
		Groups: volcanoGroups, Declare: declareVolcano, Join: joinVolcano,
	}
}
