package sparkdist

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// javaMajor is the Java release that the image carries: the oldest that every
// supported line of Spark runs on.
const javaMajor = "17"

// jreModules is what Spark's core, SQL and Kubernetes parts load.
// jdk.incubator.vector is named on the command line that Spark writes;
// jdk.security.auth and java.security.jgss belong to Hadoop's login.
var jreModules = []string{
	"java.base", "java.compiler", "java.datatransfer", "java.desktop", "java.instrument", "java.logging",
	"java.management", "java.naming", "java.net.http", "java.prefs", "java.rmi", "java.scripting",
	"java.security.jgss", "java.security.sasl", "java.sql", "java.transaction.xa", "java.xml",
	"jdk.crypto.cryptoki", "jdk.crypto.ec", "jdk.httpserver", "jdk.incubator.vector", "jdk.jfr",
	"jdk.localedata", "jdk.management", "jdk.naming.dns", "jdk.net", "jdk.security.auth",
	"jdk.security.jgss", "jdk.unsupported", "jdk.zipfs",
}

// findJDK returns the home of a JDK of release javaMajor that can be cut into
// smaller runtimes, and its exact version. JAVA_HOME is asked first.
func findJDK() (home, version string, err error) {
	candidates, err := filepath.Glob("/usr/lib/jvm/*")
	if err != nil {
		return "", "", err
	}
	if env := os.Getenv("JAVA_HOME"); env != "" {
		candidates = append([]string{env}, candidates...)
	}
	if javac, err := exec.LookPath("javac"); err == nil {
		if real, err := filepath.EvalSymlinks(javac); err == nil {
			candidates = append(candidates, filepath.Dir(filepath.Dir(real)))
		}
	}
	for _, dir := range candidates {
		if version := jdkVersion(dir); version == javaMajor || strings.HasPrefix(version, javaMajor+".") {
			return dir, version, nil
		}
	}
	return "", "", errors.New("no JDK " + javaMajor + " found in JAVA_HOME, /usr/lib/jvm or beside javac: " +
		"install one (Debian 12: apt-get install openjdk-17-jdk-headless)")
}

// jdkVersion reads a JDK's version, as 17.0.15; it is empty where dir is no
// whole JDK.
func jdkVersion(dir string) string {
	for _, part := range []string{"bin/jlink", "jmods/java.base.jmod"} {
		if _, err := os.Stat(filepath.Join(dir, part)); err != nil {
			return ""
		}
	}
	release, err := os.ReadFile(filepath.Join(dir, "release"))
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(release)) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), "JAVA_VERSION="); ok {
			return strings.Trim(value, `"`)
		}
	}
	return ""
}

// run starts a build tool and returns its output only where it fails.
func run(cmd *exec.Cmd) error {
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", filepath.Base(cmd.Path), err, lastLines(string(text), 15))
	}
	return nil
}
