package sparkdist

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWhereTheSourcePackagesFilesGo(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"scripts", "pyspark-4.3.0/deps/bin/spark-submit", "bin/spark-submit"},
		{"jars", "pyspark-4.3.0/deps/jars/connect-repl/a.jar", "jars/connect-repl/a.jar"},
		{"what workers load", "pyspark-4.3.0/lib/pyspark.zip", "python/lib/pyspark.zip"},
		{"the Python package", "pyspark-4.3.0/pyspark/sql/__init__.py", "python/pyspark/sql/__init__.py"},
		{"the licence", "pyspark-4.3.0/LICENSE", "LICENSE"},
		{"the packaging is left out", "pyspark-4.3.0/setup.py", ""},
		{"its metadata too", "pyspark-4.3.0/pyspark.egg-info/PKG-INFO", ""},
		{"a path out of the archive is refused", "pyspark-4.3.0/../../etc/passwd", ""},
		{"an absolute path too", "pyspark-4.3.0//etc/passwd", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, ok := homePath(c.in)
			if got != c.want || ok != (c.want != "") {
				t.Errorf("homePath(%q) = %q, %v; want %q", c.in, got, ok, c.want)
			}
		})
	}
}

func TestUnpackHomeMakesScriptsExecutable(t *testing.T) {
	sdist, home := filepath.Join(t.TempDir(), "sdist.tar.gz"), filepath.Join(t.TempDir(), "home")
	packTarGz(t, sdist, map[string]string{
		"pyspark-1/deps/bin/spark-submit": "#!/bin/bash\n",
		"pyspark-1/deps/jars/a.jar":       "jar",
		"pyspark-1/setup.py":              "",
	})
	if err := unpackHome(t.Context(), sdist, home, func(int64) {}); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]os.FileMode{"bin/spark-submit": 0o755, "jars/a.jar": 0o644} {
		info, err := os.Stat(filepath.Join(home, path))
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got&0o111 != want&0o111 {
			t.Errorf("%s has mode %v, want %v", path, got, want)
		}
	}
	if got := names(t, home); len(got) != 2 {
		t.Errorf("unpacked %v, want bin and jars", got)
	}
}

func TestUnpackFlights(t *testing.T) {
	const csv = "year,month\n2013,1\n"
	t.Run("the zip file in the package is unpacked", func(t *testing.T) {
		sdist, dir := filepath.Join(t.TempDir(), "sdist.tar.gz"), t.TempDir()
		packTarGz(t, sdist, map[string]string{
			"n/n/data/airlines.csv":    "carrier,name\n",
			"n/n/data/flights.csv.zip": zipped(t, "flights.csv", csv),
		})
		if err := unpackFlights(t.Context(), sdist, dir); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join(dir, FlightsCSV))
		if err != nil || string(got) != csv {
			t.Errorf("unpacked %q, error %v; want %q", got, err, csv)
		}
	})
	t.Run("a package without flights is refused", func(t *testing.T) {
		sdist := filepath.Join(t.TempDir(), "sdist.tar.gz")
		packTarGz(t, sdist, map[string]string{"n/n/data/airlines.csv": ""})
		if err := unpackFlights(t.Context(), sdist, t.TempDir()); err == nil {
			t.Error("no error")
		}
	})
	t.Run("a zip file that holds something else is refused", func(t *testing.T) {
		sdist := filepath.Join(t.TempDir(), "sdist.tar.gz")
		packTarGz(t, sdist, map[string]string{"n/flights.csv.zip": zipped(t, "other.csv", csv)})
		if err := unpackFlights(t.Context(), sdist, t.TempDir()); err == nil || !strings.Contains(err.Error(), FlightsCSV) {
			t.Errorf("error is %v, want one that names %s", err, FlightsCSV)
		}
	})
}

func packTarGz(t *testing.T, path string, files map[string]string) {
	t.Helper()
	var packed bytes.Buffer
	zw := gzip.NewWriter(&packed)
	tw := tar.NewWriter(zw)
	for name, content := range files {
		if err := tw.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content)), Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		if _, err := tw.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := tw.Close(); err != nil {
		t.Fatal(err)
	}
	if err := zw.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, packed.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

func zipped(t *testing.T, name, content string) string {
	t.Helper()
	var packed bytes.Buffer
	zw := zip.NewWriter(&packed)
	w, err := zw.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	if err := zw.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.String()
}
