package contender

import (
	"context"
	"fmt"
	"os"

	corev1 "k8s.io/api/core/v1"

	"muster.sh/muster/benchmarks/floor"
	"muster.sh/muster/internal/localcluster"
)

// Floor is the name of the scheduler that decides nothing.
const Floor = floor.Name

// floorScheduler is what no scheduler can beat: it has nothing to decide.
func floorScheduler() Contender {
	return Contender{
		Name: Floor, About: "binds each pod to a node that was computed beforehand, and decides nothing",
		Components: []string{floor.Name}, Users: []string{kubeScheduler}, SchedulerName: floor.Name, Blind: true,
		Setup: func(_ context.Context, cluster *localcluster.Spec, _ string) error {
			self, err := os.Executable()
			if err != nil {
				return fmt.Errorf("find this program: %w", err)
			}
			cluster.Schedulers = append(cluster.Schedulers, localcluster.SchedulerSpec{
				Name: floor.Name, Binary: self, Program: floor.Command,
			})
			return nil
		},
		// It binds what it sees; that the members of a gang belong together is no
		// concern of a scheduler for which everything fits.
		Join: func(*corev1.Pod, Gang) {},
	}
}
