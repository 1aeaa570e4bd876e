package spark

import (
	_ "embed"

	"muster.sh/muster/internal/sparksubmit"
)

// allocatorRights are what a driver needs besides, where it does not create its
// executors itself.
//
//go:embed testdata/allocator-rights.yaml
var allocatorRights []byte

func statefulSetAllocator(s *story) { allocator(s, "statefulset") }

func deploymentAllocator(s *story) { allocator(s, "deployment") }

// allocator lets one of the makers of executors work that know nothing of the
// driver's room: the application waits whole, and then starts whole.
func allocator(s *story, name string) {
	app := application{name: name + "-app", executors: full, steps: []int{full}, settings: []sparksubmit.Setting{
		{Key: "spark.kubernetes.allocation.pods.allocator", Value: name},
	}}
	s.settle("neighbour")
	blocker := s.settle("blocker")
	s.submit(app)
	driver := s.awaitDriver(app, "waits for room", waits)
	s.deleteAtOnce(blocker)
	leave := s.meet(app, 0)
	for _, executor := range s.awaitRunning(app, full) {
		if len(executor.OwnerReferences) == 0 || executor.OwnerReferences[0].UID == driver.UID {
			s.Errorf("executor %s was made by the driver itself, so nothing is shown", executor.Name)
		}
	}
	leave()
	s.succeed(app)
	s.awaitForgotten(driver)
}
