package run

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	config "muster.sh/muster/api/config/v1alpha1"
)

func TestFlagsWinOverTheFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "operators.yaml")
	text := "apiVersion: config.muster.sh/v1alpha1\nkind: OperatorsConfiguration\nhealthPort: 1\ntensorFlow: {gangs: None}\nspark: {workers: 3}\nserving: {port: 2}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	f, fs := &flags{}, pflag.NewFlagSet("", pflag.ContinueOnError)
	f.add(fs)
	if err := fs.Parse([]string{"--config=" + file, "--health-port=3", "--leader-elect=false"}); err != nil {
		t.Fatal(err)
	}
	c, err := f.configuration(fs)
	if err != nil {
		t.Fatal(err)
	}
	if *c.HealthPort != 3 || *c.Serving.Port != 2 || *c.LeaderElection.LeaderElect || c.TensorFlow.Gangs != config.GangNone || c.Spark.Workers != 3 {
		t.Errorf("got %+v", c)
	}
}

func TestBadFlagsAreRefusedBeforeAnythingStarts(t *testing.T) {
	for name, tc := range map[string]struct{ flag, want string }{
		"a controller that does not exist": {"--controllers=torch", `controllers[0]: Unsupported value: "torch"`},
		"a port that does not exist":       {"--secure-port=70000", "serving.port: Invalid value: 70000"},
		"a format that does not exist":     {"--logging-format=xml", "must be text or json"},
		"a file that is missing":           {"--config=/nowhere/x.yaml", "/nowhere/x.yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := NewCommand()
			cmd.SetArgs([]string{tc.flag})
			if err := cmd.Execute(); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want an error with %q", err, tc.want)
			}
		})
	}
}

func TestEveryControllerIsThere(t *testing.T) {
	for _, name := range config.Controllers {
		if controllers[name] == nil {
			t.Errorf("nothing adds %s", name)
		}
		if help := NewCommand().Long; !strings.Contains(help, string(name)) {
			t.Errorf("the help does not tell of %s", name)
		}
	}
	for name := range controllers {
		if !slices.Contains(config.Controllers, name) {
			t.Errorf("%s can't be configured", name)
		}
	}
}
