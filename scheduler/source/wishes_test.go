package source

import (
	"math"
	"strings"
	"testing"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"muster.sh/muster/scheduler/gang"
)

func TestHowLongAGangRunsIsReadFromAnnotations(t *testing.T) {
	const runtime, application = "muster.sh/runtime", "muster.sh/application"
	for name, c := range map[string]struct {
		annotations map[string]string
		deadline    int64
		labels      map[string]string
		want        time.Duration
		of          string
		err         string
	}{
		"nothing":             {},
		"a time":              {annotations: map[string]string{runtime: "90m"}, want: 90 * time.Minute},
		"a deadline":          {deadline: 60, want: time.Minute},
		"the shorter of both": {annotations: map[string]string{runtime: "90m"}, deadline: 60, want: time.Minute},
		"a deadline later":    {annotations: map[string]string{runtime: "30s"}, deadline: 60, want: 30 * time.Second},
		"one for ever":        {deadline: math.MaxInt64, want: time.Duration(maxSeconds) * time.Second},
		"an application":      {annotations: map[string]string{application: "nightly"}, labels: map[string]string{"spark-app-name": "other"}, of: "nightly"},
		"Spark's name":        {labels: map[string]string{"spark-app-name": "etl"}, of: "etl"},
		"too long a name":     {annotations: map[string]string{application: strings.Repeat("x", 254)}, err: "is longer than 253 characters; choose a shorter name"},
		"no time":             {annotations: map[string]string{runtime: "long"}, err: `the annotation muster.sh/runtime="long" is not a time; set it to one such as 90s`},
		"no time at all":      {annotations: map[string]string{runtime: "-1s"}, err: "muster.sh/runtime"},
	} {
		t.Run(name, func(t *testing.T) {
			var g gang.Gang
			p := &v1.Pod{ObjectMeta: metav1.ObjectMeta{Labels: c.labels}}
			if c.deadline > 0 {
				p.Spec.ActiveDeadlineSeconds = &c.deadline
			}
			err := readWishes(c.annotations, &g)
			readPod(p, &g)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("error %v, want %q", err, c.err)
				}
				return
			}
			if err != nil || g.Runtime != c.want || g.Application != c.of {
				t.Errorf("%s of %q, %v, want %s of %q", g.Runtime, g.Application, err, c.want, c.of)
			}
		})
	}
}

func TestWhatBecomesOfAGangBelowItsMinimumIsReadFromAnnotations(t *testing.T) {
	const policy, timeout = "muster.sh/below-minimum", "muster.sh/below-minimum-timeout"
	for name, c := range map[string]struct {
		annotations map[string]string
		want        gang.BelowMinimum
		err         string
	}{
		"nothing":         {nil, gang.BelowMinimum{}, ""},
		"it goes":         {map[string]string{policy: "go"}, gang.BelowMinimum{Policy: gang.Go}, ""},
		"it waits a time": {map[string]string{policy: "wait", timeout: "10m"}, gang.BelowMinimum{Policy: gang.Wait, Timeout: 10 * time.Minute}, ""},
		"only a time":     {map[string]string{timeout: "90s"}, gang.BelowMinimum{Timeout: 90 * time.Second}, ""},
		"unknown":         {map[string]string{policy: "Go!"}, gang.BelowMinimum{}, `the annotation muster.sh/below-minimum="Go!" is not known; set it to continue, wait or go`},
		"empty":           {map[string]string{policy: ""}, gang.BelowMinimum{}, "muster.sh/below-minimum"},
		"no time":         {map[string]string{timeout: "soon"}, gang.BelowMinimum{}, `the annotation muster.sh/below-minimum-timeout="soon" is not a time; set it to one such as`},
		"no time at all":  {map[string]string{policy: "wait", timeout: "0s"}, gang.BelowMinimum{}, "muster.sh/below-minimum-timeout"},
	} {
		t.Run(name, func(t *testing.T) {
			var g gang.Gang
			err := readWishes(c.annotations, &g)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("error %v, want %q", err, c.err)
				}
				return
			}
			if err != nil || g.BelowMinimum != c.want {
				t.Errorf("%+v, %v, want %+v", g.BelowMinimum, err, c.want)
			}
		})
	}
}
