package run

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"
	logsapi "k8s.io/component-base/logs/api/v1"

	config "muster.sh/muster/api/config/v1alpha1"
)

func parse(t *testing.T, args ...string) (*flags, *config.SchedulerConfiguration, error) {
	t.Helper()
	f := &flags{logs: logsapi.NewLoggingConfiguration()}
	fs := pflag.NewFlagSet("test", pflag.ContinueOnError)
	f.add(fs)
	if err := fs.Parse(args); err != nil {
		t.Fatal(err)
	}
	c, err := f.configuration(fs)
	return f, c, err
}

func TestFlagsWinOverTheFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "scheduler.yaml")
	text := `
apiVersion: config.muster.sh/v1alpha1
kind: SchedulerConfiguration
serving: {port: 1, bindAddress: 127.0.0.2}
clientConnection: {kubeconfig: /from/file}
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	f, c, err := parse(t, "--config="+file, "--secure-port=0", "--leader-elect=false", "--feature-gates=A=true,B=false", "--authorization-always-allow-paths=/metrics,/x")
	if err != nil {
		t.Fatal(err)
	}
	switch {
	case *c.Serving.Port != 0, c.Serving.BindAddress != "127.0.0.2", *c.LeaderElection.LeaderElect,
		c.ClientConnection.Kubeconfig != "/from/file", c.SchedulerName != "muster":
		t.Errorf("configuration %+v", c)
	case len(f.gates) != 2 || !f.gates["A"] || f.gates["B"], len(f.openPaths) != 2:
		t.Errorf("flags %+v", f)
	}
}

func TestFlagsAreChecked(t *testing.T) {
	if _, _, err := parse(t, "--secure-port=99999"); err == nil || !strings.Contains(err.Error(), "serving.port") {
		t.Errorf("got %v", err)
	}
	if _, _, err := parse(t, "--config=/does/not/exist"); err == nil || !strings.Contains(err.Error(), "/does/not/exist") {
		t.Errorf("got %v", err)
	}
}

func TestTheCommandMakesNothingUntilItRuns(t *testing.T) {
	// Several commands are made in one process before one of them is run.
	NewCommand()
	cmd := NewCommand()
	if !strings.Contains(cmd.UsageString(), "--config") {
		t.Error("the usage does not name --config")
	}
}

func TestWhatAWriteIsAbout(t *testing.T) {
	for path, want := range map[string]string{
		"/api/v1/namespaces/n/pods/p/binding":                                 "pods/binding",
		"/api/v1/namespaces/n/pods/p":                                         "pods",
		"/api/v1/namespaces/n/pods":                                           "pods",
		"/apis/events.k8s.io/v1/namespaces/n/events":                          "events",
		"/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/l":        "leases",
		"/apis/scheduling.volcano.sh/v1beta1/namespaces/n/podgroups/g/status": "podgroups/status",
		"/apis/authentication.k8s.io/v1/tokenreviews":                         "tokenreviews",
		"/api/v1/namespaces/n":                                                "namespaces",
		"/metrics":                                                            "other",
		"":                                                                    "other",
	} {
		if got := resourceOf(path); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}
