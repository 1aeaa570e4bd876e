package contender

import (
	"context"
	_ "embed"
	"path/filepath"

	"muster.sh/muster/internal/localcluster"
)

var (
	//go:embed volcano-scheduler.yaml
	volcanoConfig string
	//go:embed volcano.yaml
	volcanoRights []byte
)

// volcanoAt is Volcano's scheduler with its controllers, which open the default
// queue, without its webhooks. It is built from source by its own Makefile, since
// its module is not to be had from Go's proxy.
func volcanoAt(source string) Contender {
	const scheduler, controllers, user = "volcano-scheduler", "volcano-controllers", "volcano"
	c := Contender{
		Name: "volcano", About: "Volcano as built in --volcano-dir",
		Components: []string{scheduler, controllers}, Users: []string{user}, SchedulerName: "volcano",
		Setup: func(_ context.Context, cluster *localcluster.Spec, dir string) error {
			binaries := filepath.Join(source, "_output", "bin")
			definitions := filepath.Join(source, "config", "crd")
			files := []string{
				filepath.Join(binaries, "vc-scheduler"), filepath.Join(binaries, "vc-controller-manager"),
				filepath.Join(definitions, "volcano", "bases"), filepath.Join(definitions, "jobflow", "bases"),
			}
			if err := mustExist("--volcano-dir", "a checkout of Volcano after make vc-scheduler vc-controller-manager", files...); err != nil {
				return err
			}
			cluster.Manifests = append(cluster.Manifests, files[2], files[3])
			cluster.Programs = append(cluster.Programs,
				localcluster.ProgramSpec{
					Name: scheduler, User: user, Binary: files[0], Config: volcanoConfig,
					Args: append(volcanoFlags(), "--scheduler-conf=$CONFIG", "--kube-api-qps=10000", "--kube-api-burst=10000",
						"--schedule-period=200ms", "--node-worker-threads=200"),
					Ports: []string{"HEALTH", "METRICS"}, Ready: "http://$HOST:$HEALTH/healthz",
				},
				localcluster.ProgramSpec{
					Name: controllers, User: user, Binary: files[1],
					Args: append(volcanoFlags(), "--kube-api-qps=3000", "--kube-api-burst=3000",
						"--worker-threads=100", "--worker-threads-for-gc=100", "--worker-threads-for-podgroup=50"),
					Ports: []string{"HEALTH", "METRICS"}, Ready: "http://$HOST:$HEALTH/healthz",
				})
			return writeManifest(cluster, dir, "volcano.yaml", volcanoRights)
		},
		Groups: volcanoGroups, Declare: declareVolcano, Join: joinVolcano,
	}
	if source == "" {
		c.Lacks = "--volcano-dir"
	}
	return c
}

// volcanoFlags are those that both programs share.
func volcanoFlags() []string {
	return []string{
		"--kubeconfig=$KUBECONFIG", "--leader-elect=false",
		"--enable-healthz=true", "--healthz-address=$HOST:$HEALTH", "--listen-address=$HOST:$METRICS",
	}
}
