package trial

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"muster.sh/muster/benchmarks/audit"
	"muster.sh/muster/benchmarks/scenario"
	"muster.sh/muster/internal/localcluster/sparkactor"
)

const (
	// work is how long an application works once all its executors run.
	work = 10 * time.Second
	// stuck is how long no driver may have ended until no one will: longer than
	// an application takes that has its room.
	stuck     = 60 * time.Second
	stuckPoll = time.Second
)

// burst submits all applications at the same moment, and waits until all have
// finished or nothing moves any more.
func (m *measured) burst(ctx context.Context, load *load) error {
	playing, stop := context.WithCancel(ctx)
	defer stop()
	played := make(chan error, 1)
	go func() { played <- sparkactor.Run(playing, load.client, m.logger()) }()
	group, submitting := errgroup.WithContext(ctx)
	group.SetLimit(creators)
	for i := range m.Scenario.Gangs {
		group.Go(func() error {
			_, err := sparkactor.Submit(submitting, load.client, sparkactor.App{
				Name: fmt.Sprintf("app%03d", i), Namespace: scenario.Namespace, Executors: m.Scenario.Size - 1,
				Duration: work, SchedulerName: m.Contender.SchedulerName,
				// As where a job can't do with fewer.
				Conf: map[string]string{
					"spark.scheduler.minRegisteredResourcesRatio":       "1.0",
					"spark.scheduler.maxRegisteredResourcesWaitingTime": "1h",
				},
			})
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	err := m.awaitDrivers(ctx, load)
	stop()
	if ended := <-played; err == nil && ended != nil {
		err = fmt.Errorf("play the drivers: %w", ended)
	}
	return err
}

// logger is of the drivers' doings, which are worth reading only with all else.
func (m *measured) logger() *slog.Logger {
	if m.Progress == nil {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(m.Progress, nil))
}

// awaitDrivers counts the drivers that have succeeded until all have, or none has
// for long.
func (m *measured) awaitDrivers(ctx context.Context, load *load) error {
	ticker := time.NewTicker(stuckPoll)
	defer ticker.Stop()
	moved := time.Now()
	for {
		drivers, err := load.client.CoreV1().Pods(scenario.Namespace).List(ctx, metav1.ListOptions{LabelSelector: "spark-role=driver", ResourceVersion: "0"})
		if err != nil {
			return fmt.Errorf("list the drivers: %w", err)
		}
		finished := 0
		for i := range drivers.Items {
			if drivers.Items[i].Status.Phase == corev1.PodSucceeded {
				finished++
			}
		}
		if finished > m.result.Finished {
			m.result.Finished, moved = finished, time.Now()
		}
		if finished == m.Scenario.Gangs {
			return nil
		}
		if time.Since(moved) > stuck {
			return fmt.Errorf("%d of %d applications have finished, and none any more for %s", finished, m.Scenario.Gangs, stuck)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return fmt.Errorf("%d of %d applications have finished after %s", finished, m.Scenario.Gangs, time.Since(m.began).Round(time.Second))
		}
	}
}

// applications are the gangs of a burst.
func (m *measured) applications(tl *audit.Timeline) []audit.Gang {
	return audit.SparkApplications(tl, func(audit.SparkApp) int { return m.Scenario.Size - 1 })
}
