// Package oracletest has tests compare what Muster says of Spark with stored answers, and
// with those of the distributions at hand.
package oracletest

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"muster.sh/muster/internal/sparkoracle"
)

// EachStored calls a function with the answers of each Spark distribution that are
// stored in testdata.
func EachStored[A any](t *testing.T, compare func(*testing.T, A)) {
	t.Helper()
	paths, err := filepath.Glob("testdata/conformance/spark-*.json")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no stored answers of Spark: %v", err)
	}
	for _, path := range paths {
		answers, err := sparkoracle.Read[A](path)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(filepath.Base(path), func(t *testing.T) { compare(t, answers) })
	}
}

// EachAtHand calls a function with the folder of each Spark distribution in SPARK_HOME,
// which may name several, as PATH does. Without any, or in a short run, it skips the test.
func EachAtHand(t *testing.T, ask func(t *testing.T, home string)) {
	t.Helper()
	if testing.Short() {
		t.Skip("running Spark takes a minute; this is a short run")
	}
	if _, err := exec.LookPath("java"); err != nil {
		t.Skip("no java on the path to run Spark with")
	}
	homes := filepath.SplitList(os.Getenv("SPARK_HOME"))
	if len(homes) == 0 {
		t.Skip("SPARK_HOME names no Spark distribution")
	}
	for _, home := range homes {
		t.Run(filepath.Base(home), func(t *testing.T) { ask(t, home) })
	}
}

// StoredAt is where the answers of a version of Spark are stored.
func StoredAt(sparkVersion string) string {
	return filepath.Join("testdata", "conformance", "spark-"+sparkVersion+".json")
}
