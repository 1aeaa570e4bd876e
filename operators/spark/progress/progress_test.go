package progress

import (
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Spark 4.3.0 gave this answer while it had five jobs: one failed, one had a stage to skip,
// and one was running.
func TestAnAnswerOfSparkIsRead(t *testing.T) {
	answer, err := os.Open("testdata/spark-4.3.0.json")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Close()
	got, err := parse(answer)
	if err != nil || got.String() != "jobs 4/5, stages 5/8, tasks 17/23" {
		t.Errorf("it is read as %q (%v)", got, err)
	}
}

func TestWhatIsNoListOfJobsIsRefused(t *testing.T) {
	for name, answer := range map[string]string{
		"a page":                     "<html>",
		"nothing":                    "",
		"null":                       "null",
		"another list":               "[1, 2]",
		"one job alone":              `{"jobId": 1}`,
		"a list that is cut off":     `[{"jobId": 1}`,
		"a number that is no count":  `[{"numTasks": -1}]`,
		"more skipped than there is": `[{"numTasks": 1, "numSkippedTasks": 2}]`,
		"more than a number holds":   `[{"numTasks": 99999999999}]`,
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := parse(strings.NewReader(answer)); err == nil || got != (Progress{}) {
				t.Errorf("it is read as %v", got)
			}
		})
	}
}

func TestAnApplicationWithoutJobsHasDoneNothing(t *testing.T) {
	if got, err := parse(strings.NewReader("[]")); err != nil || got.String() != "jobs 0/0, stages 0/0, tasks 0/0" {
		t.Errorf("got %v, %v", got, err)
	}
}

// Whatever a driver says, no more is done than there is.
func TestNoMoreIsDoneThanThereIs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		jobs := rapid.SliceOf(rapid.StringMatching(
			`\{"status": "(RUNNING|FAILED|)", "stageIds": \[(1(,2){0,3})?\], "numCompletedStages": -?[0-9], "numSkippedStages": [0-3], `+
				`"numTasks": -?[0-9]{1,10}, "numSkippedTasks": [0-9]{1,3}, "numCompletedIndices": [0-9]{1,10}\}`)).Draw(t, "jobs")
		got, err := parse(strings.NewReader("[" + strings.Join(jobs, ",") + "]"))
		if err != nil {
			return
		}
		for name, c := range map[string]Count{"jobs": got.Jobs, "stages": got.Stages, "tasks": got.Tasks} {
			if c.Done < 0 || c.Done > c.Total {
				t.Errorf("%s: %s", name, c)
			}
		}
		if got.Jobs.Total != int64(len(jobs)) {
			t.Errorf("there are %d jobs, not %d", got.Jobs.Total, len(jobs))
		}
	})
}
