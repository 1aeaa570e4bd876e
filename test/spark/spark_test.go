// Package spark tells on real nodes, with an unchanged spark-submit and real
// Spark, that applications stay whole whatever happens to them.
//
// The stories are played on one cluster of two nodes. Every pod asks for a bit less
// than half a node, so the cluster has room for exactly four: a driver with two
// executors fills it where a neighbour has the fourth place.
package spark

import (
	"testing"
)

// full is the number of executors with which an application fills the cluster, beside
// a neighbour.
const full = 2

func TestApplicationsStayWhole(t *testing.T) {
	s := newStage(t)
	for _, story := range []struct {
		name string
		play func(*story)
	}{
		{"executors above the minimum come and go with the work", dynamicAllocation},
		{"a SparkApplication runs without spark-submit", sparkApplication},
		{"a Connect server and its executors start together, and serve", connectServer},
		{"executors of a driver in client mode start together", clientMode},
		{"executors of a driver outside of the cluster start together", clientOutside},
		{"executors that a StatefulSet makes start with their driver", statefulSetAllocator},
		{"executors that a Deployment makes start with their driver", deploymentAllocator},
		{"a setting that cannot be understood is named and blocks nobody", badSetting},
		{"a killed executor's replacement gets its room back", killedExecutor},
		{"a killed driver leaves its room to the next application", killedDriver},
		{"executors get their room though the scheduler was killed before they came", killedScheduler},
		{"an application finishes whatever component is killed", killedComponents},
	} {
		t.Run(story.name, func(t *testing.T) { s.play(t, story.play) })
	}
	s.judge(t)
}
