package spark

import (
	"strconv"

	"muster.sh/muster/internal/sparksubmit"
)

func dynamicAllocation(s *story) {
	const most = 3 // executors, beside which there is room for nobody
	elastic := application{name: "elastic", executors: 1, steps: []int{most, rest, most}, settings: []sparksubmit.Setting{
		{Key: "spark.dynamicAllocation.enabled", Value: "true"},
		{Key: "spark.dynamicAllocation.shuffleTracking.enabled", Value: "true"},
		{Key: "spark.dynamicAllocation.minExecutors", Value: "1"},
		{Key: "spark.dynamicAllocation.maxExecutors", Value: strconv.Itoa(most)},
		{Key: "spark.dynamicAllocation.executorIdleTimeout", Value: "3s"},
		{Key: "spark.dynamicAllocation.schedulerBacklogTimeout", Value: "1s"},
	}}
	small := application{name: "uses-what-is-idle", executors: 1, steps: []int{1}}
	s.submit(elastic)
	driver := s.awaitDriver(elastic, "exists", anyPod)
	goOn := s.meet(elastic, 0) // two more than it needs have come
	s.submit(small)
	s.awaitDriver(small, "waits for room", waits)
	s.requireUnbound(small)

	goOn()
	goOn = s.meet(elastic, 1)
	s.requireArchive(append(s.awaitRunning(elastic, 1), driver)...)
	s.meet(small, 0)()
	s.succeed(small)

	goOn()
	s.meet(elastic, 2)() // they have come again
	s.succeed(elastic)
}
