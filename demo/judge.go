package main

import (
	"errors"
	"fmt"
	"os"

	"muster.sh/muster/benchmarks/audit"
)

// judge reads the API server's audit log and returns an error unless the
// applications were treated well: no gang was stranded, no node carried more than
// it can, no room was stolen, and, where promised is set, the room of every
// application's executors had been stored as reserved before its driver was
// bound. The whole verdict is written to report.
func judge(auditLog, report string, apps []application, promised bool) error {
	log, err := audit.Open(auditLog)
	if err != nil {
		return fmt.Errorf("read the audit log: %w", err)
	}
	timeline := log.Timeline()
	executors := map[string]int{}
	for _, app := range apps {
		executors[app.name] = app.executors
	}
	drivers := 0
	gangs := audit.SparkApplications(timeline, func(app audit.SparkApp) int {
		if app.Driver == nil {
			return -1
		}
		drivers++
		return executors[app.Driver.Labels[appNameLabel]]
	})
	reservations, err := audit.Reservations(timeline, nil)
	if err != nil {
		return err
	}
	verdict := audit.Judge(log, timeline, audit.Case{Gangs: gangs, Reservations: reservations})
	out, err := os.Create(report)
	if err != nil {
		return err
	}
	if err := errors.Join(verdict.Render(out), out.Close()); err != nil {
		return fmt.Errorf("write the audit report: %w", err)
	}
	if drivers != len(apps) {
		return fmt.Errorf("the audit log has %d drivers of %d applications", drivers, len(apps))
	}
	if promised {
		err = unpromised(gangs, reservations)
	}
	return errors.Join(verdict.Err(), err)
}

// unpromised finds a driver that was bound before the room of its executors was
// reserved.
func unpromised(gangs []audit.Gang, reservations []audit.Reservation) error {
	for _, gang := range gangs {
		for _, pod := range gang.Members {
			if pod.Labels[roleLabel] != "driver" || !pod.Bound.Known() {
				continue
			}
			promised := 0
			for _, r := range reservations {
				if r.Stored.By.After(pod.Bound.By) {
					continue // too late
				}
				if _, mine := r.Claims(pod); mine {
					promised = max(promised, executorSlots(r))
				}
			}
			if need := gang.Min - 1; promised < need {
				return fmt.Errorf("driver %s was bound while room for %d of its %d executors was reserved", pod, promised, need)
			}
		}
	}
	return nil
}

func executorSlots(r audit.Reservation) int {
	n := 0
	for _, slot := range r.Slots {
		if slot.Role == "executor" {
			n += slot.Count
		}
	}
	return n
}
