package cli

import (
	"bytes"
	"testing"
)

func TestAScreenIsRewrittenAndLinesAreNot(t *testing.T) {
	for name, tc := range map[string]struct {
		width, height int
		want          string
	}{
		"on a terminal":  {8, 9, "JOB\na waits\n\x1b[2A\x1b[JJOB\na runs …\nb waits\n\x1b[3A\x1b[JJOB\n"},
		"on a small one": {8, 3, "JOB\na waits\n\x1b[2A\x1b[JJOB\nb waits\n\x1b[2A\x1b[JJOB\n"},
		"elsewhere":      {0, 0, "JOB\na waits\na runs on\nb waits\n"},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			s := newScreen(&out)
			s.width, s.height = tc.width, tc.height
			s.show("JOB", "a waits")
			s.show("JOB", "a waits")
			s.show("JOB", "a runs on", "b waits")
			s.show("JOB")
			if out.String() != tc.want {
				t.Errorf("it shows %q, not %q", out.String(), tc.want)
			}
		})
	}
}
