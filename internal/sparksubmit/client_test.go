package sparksubmit

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/rest"
	clienttesting "k8s.io/client-go/testing"

	"muster.sh/muster/internal/sparkdist"
)

// login logs in to a cluster that gives out one token, with a script in the place
// of spark-submit.
func login(t *testing.T, script string) *Client {
	t.Helper()
	home := t.TempDir()
	if err := os.Mkdir(filepath.Join(home, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(home, "bin", "spark-submit"), []byte("#!/bin/sh\n"+script), 0o755); err != nil {
		t.Fatal(err)
	}
	cluster := fake.NewClientset()
	cluster.PrependReactor("create", "serviceaccounts", func(action clienttesting.Action) (bool, runtime.Object, error) {
		create := action.(clienttesting.CreateActionImpl)
		if create.Name != "submitter" || create.Namespace != "spark" || create.Subresource != "token" {
			t.Errorf("asked for %s of %s/%s", create.Subresource, create.Namespace, create.Name)
		}
		return true, &authenticationv1.TokenRequest{Status: authenticationv1.TokenRequestStatus{Token: "t0ken"}}, nil
	})
	config := &rest.Config{Host: "https://127.0.0.1:6443", TLSClientConfig: rest.TLSClientConfig{CAData: []byte("authority")}}
	c, err := Login(t.Context(), sparkdist.Dist{Home: home, JavaHome: "/java", ClientArchive: "/client.jsa", ImageName: "image:1"}, cluster, config, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestALoginIsKeptForSparkSubmitAloneToRead(t *testing.T) {
	c := login(t, "")
	for name, want := range map[string]string{c.CAFile(): "authority", c.tokenFile(): "t0ken"} {
		if got, err := os.ReadFile(name); err != nil || string(got) != want {
			t.Errorf("%s holds %q (%v), want %q", filepath.Base(name), got, err, want)
		}
	}
	info, err := os.Stat(c.tokenFile())
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("the token has the mode %v, want 0600", info.Mode().Perm())
	}
}

func TestSparkSubmitGetsTheApplicationAndNothingOfTheCallersEnvironment(t *testing.T) {
	t.Setenv("SPARK_CONF_DIR", "/the/caller's")
	c := login(t, `printf '%s\n' "$@"; env`)
	app := Application{
		Name: "app", File: "local:///app.py", Args: []string{"one", "two"},
		Settings: []Setting{{"spark.executor.cores", "2"}},
	}
	if err := c.Submit(t.Context(), app); err != nil {
		t.Fatal(err)
	}
	output, err := os.ReadFile(filepath.Join(c.Dir, "app.submit.log"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(output), "\n")
	if want := c.Arguments(app); !slices.Equal(lines[:len(want)], want) {
		t.Errorf("the arguments are\n%q, want\n%q", lines[:len(want)], want)
	}
	if !slices.Contains(lines, "SPARK_HOME="+c.Dist.Home) || !slices.Contains(lines, "JAVA_HOME=/java") {
		t.Errorf("Spark's own places are not in the environment:\n%s", output)
	}
	if !strings.Contains(string(output), "-XX:SharedArchiveFile=/client.jsa\n") {
		t.Error("Java isn't told of the archive of spark-submit's classes")
	}
	if strings.Contains(string(output), "/the/caller's") {
		t.Error("the caller's SPARK_CONF_DIR is in the environment")
	}
	if strings.Contains(string(output), "t0ken") {
		t.Error("the token is told by its value")
	}
}

func TestTheApplicationsOwnSettingsComeLastAndSoWin(t *testing.T) {
	c := login(t, "")
	args := c.Arguments(Application{Name: "app", File: "local:///app.py", Args: []string{"x"}, Settings: []Setting{{"spark.executor.cores", "2"}}})
	usual, own := slices.Index(args, "spark.executor.cores=1"), slices.Index(args, "spark.executor.cores=2")
	if usual < 0 || own < usual {
		t.Errorf("the usual setting is argument %d, the application's own is %d", usual, own)
	}
	if got := args[len(args)-2:]; !slices.Equal(got, []string{"local:///app.py", "x"}) {
		t.Errorf("the last arguments are %q, want the program and its own", got)
	}
}

func TestAFailedSubmissionNamesTheFileWithItsOutput(t *testing.T) {
	c := login(t, "echo no such master; exit 1")
	err := c.Submit(t.Context(), Application{Name: "app"})
	log := filepath.Join(c.Dir, "app.submit.log")
	if err == nil || !strings.Contains(err.Error(), log) {
		t.Fatalf("the error is %v, want it to name %s", err, log)
	}
	if output, err := os.ReadFile(log); err != nil || string(output) != "no such master\n" {
		t.Errorf("the output is %q (%v)", output, err)
	}
}
