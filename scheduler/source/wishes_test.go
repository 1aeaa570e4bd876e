package source

import (
	"strings"
	"testing"
	"time"

	"muster.sh/muster/scheduler/gang"
)

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
