package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// answerIn returns the rows of an answer out of a driver's log.
func answerIn(log io.Reader, question string) ([]string, error) {
	var rows []string
	err := eachLine(log, func(line []byte) error {
		if row, ok := strings.CutPrefix(string(line), "RESULT "+question+" "); ok {
			rows = append(rows, row)
		}
		return nil
	})
	return rows, err
}

// eventLog is what Spark itself recorded of an application.
type eventLog struct {
	registered int  // executors that have ever registered with the driver
	worked     int  // executors that have finished a task
	ended      bool // the application came to its regular end
}

// readEventLog reads Spark's event log: one JSON object a line.
func readEventLog(r io.Reader) (eventLog, error) {
	registered, worked := map[string]bool{}, map[string]bool{}
	var log eventLog
	err := eachLine(r, func(line []byte) error {
		var event struct {
			Event      string
			ExecutorID string `json:"Executor ID"`
			TaskInfo   struct {
				ExecutorID string `json:"Executor ID"`
				Failed     bool
			} `json:"Task Info"`
		}
		if err := json.Unmarshal(line, &event); err != nil {
			return fmt.Errorf("an event is no JSON: %w", err)
		}
		switch event.Event {
		case "SparkListenerExecutorAdded":
			registered[event.ExecutorID] = true
		case "SparkListenerTaskEnd":
			if !event.TaskInfo.Failed {
				worked[event.TaskInfo.ExecutorID] = true
			}
		case "SparkListenerApplicationEnd":
			log.ended = true
		}
		return nil
	})
	log.registered, log.worked = len(registered), len(worked)
	return log, err
}

// eachLine calls do for each line, however long: a plan in an event log can
// exceed what a Scanner takes.
func eachLine(r io.Reader, do func(line []byte) error) error {
	in := bufio.NewReader(r)
	for {
		line, err := in.ReadBytes('\n')
		if trimmed := strings.TrimSpace(string(line)); trimmed != "" {
			if err := do([]byte(trimmed)); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}
