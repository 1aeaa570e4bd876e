package trace

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// twice makes two seconds of each of two days: an hour becomes a twelfth of a second.
var twice = Fold{Spans: 2, Span: day, In: 2 * time.Second, Least: 100 * time.Millisecond, Most: time.Second}

func TestSpansComeAllAtOnceAndLifetimesShrinkWithThem(t *testing.T) {
	jobs := []Job{
		{0, 1, time.Hour},                       // before the window
		{6 * time.Hour, 2, 6 * time.Hour},       // its first moment
		{18 * time.Hour, 3, 36 * time.Hour},     // half a day on, longer than any may be
		{day + 9*time.Hour, 4, 2 * time.Minute}, // three hours into the second day, shorter
		{day + 18*time.Hour, 5, 3 * time.Hour},  // as long into it as another into the first
		{2*day + 6*time.Hour, 6, time.Hour},     // the window has ended
	}
	want := []Job{
		{0, 2, 500 * time.Millisecond},
		{250 * time.Millisecond, 4, 100 * time.Millisecond},
		{time.Second, 3, time.Second},
		{time.Second, 5, 250 * time.Millisecond},
	}
	if got := twice.Window(jobs, 6*time.Hour); !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	if f := twice.Factor(); f != 43200 {
		t.Errorf("all goes %g times as fast", f)
	}
	if w := Work(want); w != 5650*time.Millisecond {
		t.Errorf("they use %s of GPU time", w)
	}
}

func TestTheBusiestWindowIsThatOfMostWorkAfterFolding(t *testing.T) {
	jobs := []Job{
		{0, 8, time.Hour},
		{3 * day, 1, 1000 * day}, // less than it seems: no job has more than a second
		{5*day + time.Hour, 4, 12 * time.Hour},
		{6*day + time.Hour, 4, 12 * time.Hour},
		{9 * day, 1, time.Hour},
	}
	// Those of the days 5 and 6, which are one and the same hour.
	want := []Job{{83 * time.Millisecond, 4, time.Second}, {83 * time.Millisecond, 4, time.Second}}
	if got := twice.Busiest(jobs); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	alike := []Job{{0, 2, 6 * time.Hour}, {5 * day, 1, 12 * time.Hour}, {9 * day, 1, time.Hour}}
	if got, want := twice.Busiest(alike), []Job{{0, 2, 500 * time.Millisecond}}; !slices.Equal(got, want) {
		t.Errorf("of two that have as much work as each other it is %v, want %v", got, want)
	}
	if got := twice.Busiest(nil); len(got) != 0 {
		t.Errorf("of nothing it makes %v", got)
	}
	if got := twice.Busiest(jobs[:1]); len(got) != 1 {
		t.Errorf("of a trace that is shorter than a window it makes %v", got)
	}
}

func TestPropertyAFoldKeepsTheJobsOfItsWindow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := Fold{
			Spans: rapid.IntRange(1, 4).Draw(t, "spans"), Span: time.Duration(rapid.IntRange(1, 72).Draw(t, "hours")) * time.Hour,
			In: time.Duration(rapid.IntRange(1, 200).Draw(t, "seconds")) * time.Second, Least: time.Second, Most: 30 * time.Second,
		}
		jobs := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Job {
			return Job{
				At:   time.Duration(rapid.IntRange(0, 20*86400).Draw(t, "at")) * time.Second,
				GPUs: rapid.IntRange(1, 32).Draw(t, "gpus"), Runs: time.Duration(rapid.IntRange(1, 86400).Draw(t, "runs")) * time.Second,
			}
		}), 1, 40).Draw(t, "jobs")
		slices.SortFunc(jobs, func(a, b Job) int { return int(a.At - b.At) })
		busiest := f.Busiest(jobs)
		length := time.Duration(f.Spans) * f.Span
		for from := time.Duration(0); from == 0 || from+length <= jobs[len(jobs)-1].At+day; from += day {
			folded := f.Window(jobs, from)
			if Work(folded) > Work(busiest) {
				t.Fatalf("from %s on there is more work than in the busiest window", from)
			}
			checkFold(t, f, folded)
			inside, asked := 0, 0
			for _, j := range jobs {
				if j.At >= from && j.At < from+length {
					inside, asked = inside+1, asked+j.GPUs
				}
			}
			for _, j := range folded {
				asked -= j.GPUs
			}
			if len(folded) != inside || asked != 0 {
				t.Fatalf("%d of %d jobs are left, and %d GPUs too few are asked for", len(folded), inside, asked)
			}
		}
	})
}

// checkFold checks the times of what was folded.
func checkFold(t *rapid.T, f Fold, folded []Job) {
	last := time.Duration(0)
	for _, j := range folded {
		if j.At < last || j.At >= f.In {
			t.Fatalf("a job comes at %s, after one at %s, and all within %s", j.At, last, f.In)
		}
		if j.Runs < f.Least || j.Runs > f.Most {
			t.Fatalf("a job runs for %s", j.Runs)
		}
		last = j.At
	}
}
