package main

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"muster.sh/muster/internal/localcluster"
)

// playIn plays the demo in a test and returns what it printed.
func playIn(t *testing.T, o options) (printed string, status int) {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a whole cluster: not with -short")
	}
	o.apps, o.timeout = leastApps, 8*time.Minute
	var out bytes.Buffer
	status = play(t.Context(), o, &console{began: time.Now(), out: io.MultiWriter(&out, t.Output())})
	return out.String(), status
}

func expectEnd(t *testing.T, printed string, status int, want string) {
	t.Helper()
	if status != 0 || !strings.HasSuffix(printed, "\n"+want+"\n") {
		t.Errorf("ended with status %d, not with %q", status, want)
	}
}

func TestTheDemoOnSimulatedNodes(t *testing.T) {
	t.Run("under Muster all applications finish, and some wait whole for others", func(t *testing.T) {
		printed, status := playIn(t, options{scheduler: musterScheduler, simulate: true})
		expectEnd(t, printed, status, "demo: ok (simulated: no Spark ran)")
		if !strings.Contains(printed, "waits whole: ") {
			t.Error("no application has waited")
		}
	})
	t.Run("under the default scheduler they block each other", func(t *testing.T) {
		printed, status := playIn(t, options{scheduler: defaultScheduler, simulate: true})
		expectEnd(t, printed, status, "demo: deadlock shown (simulated: no Spark ran)")
	})
}

func TestTheDemoOnRealNodes(t *testing.T) {
	if missing := localcluster.MissingForNodes(t.Context(), t.TempDir()); len(missing) > 0 {
		t.Skip("no real nodes on this machine:", missing)
	}
	printed, status := playIn(t, options{scheduler: musterScheduler})
	expectEnd(t, printed, status, "demo: ok")
}
