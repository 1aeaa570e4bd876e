// Package progress tells how far a running Spark application has come, as its driver
// counts it on its own page of jobs. A driver is a user's program: its answers are
// believed as little as any other input.
package progress

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Progress is how far an application has come with the jobs that it has begun. What it
// will begin later isn't known.
type Progress struct {
	Jobs, Stages, Tasks Count
}

// Count is how many are done of how many there are.
type Count struct {
	Done, Total int64
}

func (p Progress) String() string {
	return fmt.Sprintf("jobs %s, stages %s, tasks %s", p.Jobs, p.Stages, p.Tasks)
}

func (c Count) String() string { return fmt.Sprintf("%d/%d", c.Done, c.Total) }

// add counts more. Neither number may be one that can't be.
func (c *Count) add(done, total int64) error {
	if done < 0 || total < 0 {
		return errors.New("a count is below zero")
	}
	c.Done += min(done, total)
	c.Total += total
	return nil
}

// job is what counts of Spark's JobData. Numbers are Spark's integers, which have 32 bits.
type job struct {
	Status              string `json:"status"`
	StageIDs            length `json:"stageIds"`
	NumCompletedStages  int32  `json:"numCompletedStages"`
	NumSkippedStages    int32  `json:"numSkippedStages"`
	NumTasks            int32  `json:"numTasks"`
	NumSkippedTasks     int32  `json:"numSkippedTasks"`
	NumCompletedIndices int32  `json:"numCompletedIndices"`
}

// length is that of a list of numbers, which isn't kept.
type length int64

// UnmarshalJSON counts.
func (l *length) UnmarshalJSON(list []byte) error {
	*l = 0
	if bytes.ContainsAny(list, "0123456789") {
		*l = length(bytes.Count(list, []byte(",")) + 1)
	}
	return nil
}

// parse reads the list of jobs that a driver answers with, one after the other, so that
// none of them takes more memory than the answer.
func parse(answer io.Reader) (Progress, error) {
	var p Progress
	list := json.NewDecoder(answer)
	begin, err := list.Token()
	if err == nil && begin != json.Delim('[') {
		err = errors.New("it is no list of jobs")
	}
	for err == nil && list.More() {
		var j job
		if err = list.Decode(&j); err == nil {
			err = p.add(j)
		}
	}
	if err == nil {
		_, err = list.Token() // the end, without which a part is missing
	}
	if err != nil {
		return Progress{}, fmt.Errorf("read the driver's answer: %w", err)
	}
	return p, nil
}

// add counts a job. What is skipped, because its result is there already, doesn't count;
// nor does a second attempt at a task.
func (p *Progress) add(j job) error {
	over := int64(1)
	if j.Status == "RUNNING" {
		over = 0
	}
	return errors.Join(
		p.Jobs.add(over, 1),
		p.Stages.add(int64(j.NumCompletedStages), int64(j.StageIDs)-int64(j.NumSkippedStages)),
		p.Tasks.add(int64(j.NumCompletedIndices), int64(j.NumTasks)-int64(j.NumSkippedTasks)),
	)
}
