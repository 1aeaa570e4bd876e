// Package trace has the jobs of real clusters, and makes minutes of their weeks.
package trace

import (
	"embed"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"
)

// Job is a training job.
type Job struct {
	// At is when it came, after the first.
	At   time.Duration
	GPUs int
	// Runs is how long it runs once it has its GPUs.
	Runs time.Duration
}

//go:embed philly/*.csv
var philly embed.FS

// Clusters names the virtual clusters of Microsoft's Philly of which the jobs are at hand.
func Clusters() []string { return []string{"e13805", "2869ce"} }

// Of returns the jobs of a cluster, in the order in which they came.
func Of(cluster string) ([]Job, error) {
	file, err := philly.Open("philly/" + cluster + ".csv")
	if err != nil {
		return nil, fmt.Errorf("no cluster is called %q here; there are %v", cluster, Clusters())
	}
	defer file.Close()
	return Read(file)
}

var columns = []string{"arrival_s", "gpus", "duration_s", "model"}

// Read reads jobs as comma-separated values, one a line after a line with the names of the
// columns.
func Read(from io.Reader) ([]Job, error) {
	r := csv.NewReader(from)
	head, err := r.Read()
	if err != nil {
		return nil, fmt.Errorf("read the names of the columns: %w", err)
	}
	if !slices.Equal(head, columns) {
		return nil, fmt.Errorf("the columns are %q; they must be %q", head, columns)
	}
	var jobs []Job
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return jobs, nil
		}
		if err != nil {
			return nil, err // which names the line
		}
		job, err := read(row)
		if n := len(jobs); err == nil && n > 0 && job.At < jobs[n-1].At {
			err = fmt.Errorf("the job came before that of the line above; sort them by %s", columns[0])
		}
		if err != nil {
			line, _ := r.FieldPos(0)
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		jobs = append(jobs, job)
	}
}

// read reads a row. What is trained doesn't matter here.
func read(row []string) (Job, error) {
	var numbers [3]int64
	for i, least := range []int64{0, 1, 1} {
		n, err := strconv.ParseInt(row[i], 10, 32)
		if err != nil || n < least {
			return Job{}, fmt.Errorf("%s is %q; it must be a whole number from %d on", columns[i], row[i], least)
		}
		numbers[i] = n
	}
	return Job{
		At: time.Duration(numbers[0]) * time.Second, GPUs: int(numbers[1]), Runs: time.Duration(numbers[2]) * time.Second,
	}, nil
}
