package sparkdist

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestJDKVersion(t *testing.T) {
	whole := []string{"bin/jlink", "jmods/java.base.jmod"}
	for _, c := range []struct {
		name    string
		files   []string
		release string
		want    string
	}{
		{"a whole JDK tells its version", whole, "IMPLEMENTOR=\"Debian\"\nJAVA_VERSION=\"17.0.15\"\n", "17.0.15"},
		{"a first release has one number", whole, "JAVA_VERSION=\"17\"\n", "17"},
		{"without jmods nothing can be cut from it", whole[:1], "JAVA_VERSION=\"17.0.15\"\n", ""},
		{"a JRE is no JDK", nil, "JAVA_VERSION=\"17.0.15\"\n", ""},
		{"no version", whole, "IMPLEMENTOR=\"?\"\n", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			for _, f := range c.files {
				if err := writeFile(filepath.Join(dir, f), strings.NewReader(""), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.WriteFile(filepath.Join(dir, "release"), []byte(c.release), 0o644); err != nil {
				t.Fatal(err)
			}
			if got := jdkVersion(dir); got != c.want {
				t.Errorf("version %q, want %q", got, c.want)
			}
		})
	}
}

func TestDownloadThroughPip(t *testing.T) {
	sdist := Sdist{Project: "thing", Version: "1.2", SHA256: strings.Repeat("ab", 32)}
	t.Run("asks for exactly the pinned file", func(t *testing.T) {
		stub(t, "python3", `
while [ $# -gt 0 ]; do
  case "$1" in --dest) dest=$2 ;; --requirement) requirements=$2 ;; esac
  shift
done
mkdir -p "$dest" && cp "$requirements" "$dest/thing-1.2.tar.gz"`)
		path, err := sdist.download(t.Context(), t.TempDir(), nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if want := "thing==1.2 --hash=sha256:" + sdist.SHA256 + "\n"; err != nil || string(got) != want {
			t.Errorf("pip was asked for %q (%v), want %q", got, err, want)
		}
	})
	t.Run("shows what pip said when it fails", func(t *testing.T) {
		stub(t, "python3", `echo 'ERROR: THESE PACKAGES DO NOT MATCH THE HASHES' >&2; exit 1`)
		_, err := sdist.download(t.Context(), t.TempDir(), nil)
		if err == nil || !strings.Contains(err.Error(), "DO NOT MATCH") || !strings.Contains(err.Error(), "thing 1.2") {
			t.Errorf("error is %v, want the package's name and pip's words", err)
		}
	})
}

// TestEntrypoint runs the script as Spark's Kubernetes backend does, with the
// programs it starts replaced by ones that print their arguments.
func TestEntrypoint(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no bash on this machine")
	}
	script := filepath.Join(t.TempDir(), "entrypoint.sh")
	if err := os.WriteFile(script, entrypoint, 0o755); err != nil {
		t.Fatal(err)
	}
	show := "printf '%s\\n' \"$(basename \"$0\")\" \"$@\""
	bin := stub(t, "tini", `[ "$1 $2" = "-s --" ] || exit 9; shift 2; exec "$@"`)
	for _, program := range []string{"java", "spark-submit"} {
		writeStub(t, filepath.Join(bin, "bin", program), show)
	}
	run := func(args []string, env ...string) ([]string, error) {
		cmd := exec.Command(bash, append([]string{script}, args...)...)
		cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "SPARK_HOME=" + bin, "JAVA_HOME=" + bin}, env...)
		out, err := cmd.Output()
		return strings.Split(strings.TrimSuffix(string(out), "\n"), "\n"), err
	}

	t.Run("a driver becomes a client-mode driver at the pod's address", func(t *testing.T) {
		got, err := run([]string{"driver", "--properties-file", "/p", "--class", "C", "local:///a b.py", "x y"},
			"SPARK_DRIVER_BIND_ADDRESS=10.0.0.7")
		want := []string{"spark-submit", "--conf", "spark.driver.bindAddress=10.0.0.7",
			"--conf", "spark.executorEnv.SPARK_DRIVER_POD_IP=10.0.0.7", "--deploy-mode", "client",
			"--properties-file", "/p", "--class", "C", "local:///a b.py", "x y"}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("started %q (%v), want %q", got, err, want)
		}
	})
	executor := []string{
		"SPARK_DRIVER_URL=spark://d:7078", "SPARK_EXECUTOR_ID=3", "SPARK_EXECUTOR_CORES=2", "SPARK_EXECUTOR_MEMORY=512m",
		"SPARK_APPLICATION_ID=spark-1", "SPARK_EXECUTOR_POD_IP=10.0.0.8", "SPARK_EXECUTOR_POD_NAME=e-3",
		"SPARK_RESOURCE_PROFILE_ID=0", "SPARK_CONF_DIR=/conf",
	}
	backend := []string{"-Xms512m", "-Xmx512m", "-cp", bin + "/classpath.jar:/conf",
		"org.apache.spark.scheduler.cluster.k8s.KubernetesExecutorBackend",
		"--driver-url", "spark://d:7078", "--executor-id", "3", "--cores", "2", "--app-id", "spark-1",
		"--hostname", "10.0.0.8", "--resourceProfileId", "0", "--podName", "e-3"}
	t.Run("an executor's Java options come by number, not by name", func(t *testing.T) {
		got, err := run([]string{"executor"}, append(executor,
			"SPARK_JAVA_OPT_10=-Dk=two words", "SPARK_JAVA_OPT_0=-Da", "SPARK_JAVA_OPT_2=-Db", "SPARK_JAVA_OPT_X=no", "SPARK_JAVA_OPT_1=")...)
		want := append([]string{"java", "-Da", "", "-Db", "-Dk=two words"}, backend...)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("started %q (%v), want %q", got, err, want)
		}
	})
	t.Run("an executor without Java options", func(t *testing.T) {
		got, err := run([]string{"executor"}, executor...)
		if want := append([]string{"java"}, backend...); err != nil || !slices.Equal(got, want) {
			t.Errorf("started %q (%v), want %q", got, err, want)
		}
	})
	t.Run("an executor without its driver's address is refused", func(t *testing.T) {
		if got, err := run([]string{"executor"}, executor[1:]...); err == nil {
			t.Errorf("started %q", got)
		}
	})
	t.Run("anything else is a command", func(t *testing.T) {
		got, err := run([]string{"echo", "a  b"})
		if want := []string{"a  b"}; err != nil || !slices.Equal(got, want) {
			t.Errorf("printed %q (%v), want %q", got, err, want)
		}
	})
}

// stub puts a bash script of that name first in PATH for the rest of the test,
// and returns its folder.
func stub(t *testing.T, name, body string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	writeStub(t, filepath.Join(dir, name), body)
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	return dir
}

func writeStub(t *testing.T, path, body string) {
	t.Helper()
	if err := writeFile(path, strings.NewReader("#!/bin/bash\n"+body+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
}
