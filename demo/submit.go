package main

import (
	"context"
	"path"
	"slices"
	"strconv"

	"muster.sh/muster/internal/sparkdist"
	"muster.sh/muster/internal/sparksubmit"
)

// namespace is where the applications run.
const namespace = sparksubmit.Namespace

// eventsPath is where drivers write their event logs; behind it is a folder of
// this machine that all nodes share.
const eventsPath = "/var/spark-events"

// submitter submits the demo's applications.
type submitter struct {
	spark     *sparksubmit.Client
	scheduler string
	events    string // the folder behind eventsPath
}

func (s *submitter) submit(ctx context.Context, app application) error {
	return s.spark.Submit(ctx, s.submission(app))
}

// submission is what any user of Spark on Kubernetes would submit. All that has to
// do with Muster is the scheduler's name.
func (s *submitter) submission(app application) sparksubmit.Application {
	settings := slices.Concat([]sparksubmit.Setting{
		{Key: "spark.executor.instances", Value: strconv.Itoa(app.executors)},
		{Key: "spark.driver.memory", Value: app.heap},
		{Key: "spark.executor.memory", Value: app.heap},
		{Key: "spark.kubernetes.driver.request.cores", Value: app.driverCPU.String()},
		{Key: "spark.kubernetes.executor.request.cores", Value: app.executorCPU.String()},

		{Key: "spark.eventLog.enabled", Value: "true"},
		{Key: "spark.eventLog.dir", Value: "file://" + eventsPath},
		{Key: "spark.eventLog.rolling.enabled", Value: "false"},
		{Key: "spark.eventLog.compress", Value: "false"},
	}, sparksubmit.Folder("driver", "events", s.events, eventsPath))
	if s.scheduler != defaultScheduler {
		settings = append(settings, sparksubmit.Setting{Key: "spark.kubernetes.scheduler.name", Value: s.scheduler})
	}
	return sparksubmit.Application{
		Name: app.name, Settings: settings, File: "local://" + path.Join(sparkdist.AppPath, "flights.py"),
		Args: []string{app.name, path.Join(sparkdist.DataPath, sparkdist.FlightsCSV)},
	}
}
