package sparkdist

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// The image, from the layer that changes least to the one that changes most.
// Each layer is a tar file in the cache, named after what it is made of.

// debianSuite is the release of Debian below the image's Spark.
const debianSuite = "bookworm"

// entrypoint is the image's first process.
//
//go:embed entrypoint.sh
var entrypoint []byte

// rootfsRecipe makes the userland: Debian's smallest system, Python, tini (the
// image's first process) and ps, which Spark's process metrics read. The
// documentation is left out.
var rootfsRecipe = []string{
	"--variant=minbase", "--format=tar", "--quiet",
	"--include=python3-minimal,python3,tini,procps",
	"--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-exclude=/usr/share/man/*/*",
	"--dpkgopt=path-exclude=/usr/share/locale/*",
	`--customize-hook=rm -rf "$1"/var/cache/apt/* "$1"/var/lib/apt/lists/* "$1"/var/log/*`,
	debianSuite,
}

// buildRootfs runs the recipe.
func buildRootfs(ctx context.Context, dest string) error {
	cmd := exec.CommandContext(ctx, "mmdebstrap", append(slices.Clone(rootfsRecipe), dest)...)
	cmd.WaitDelay = 10 * time.Second
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // it unmounts what it mounted
	if err := run(cmd); err != nil {
		return fmt.Errorf("make a Debian %s userland (is mmdebstrap installed, are you root?): %w", debianSuite, err)
	}
	return nil
}

// buildJRE cuts a runtime from the JDK, into /opt/jre.
func buildJRE(ctx context.Context, jdk, dest string) error {
	dir, err := os.MkdirTemp(filepath.Dir(dest), "jre"+tempMark)
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	jre := filepath.Join(dir, "jre")
	err = run(exec.CommandContext(ctx, filepath.Join(jdk, "bin", "jlink"),
		"--module-path", filepath.Join(jdk, "jmods"), "--add-modules", strings.Join(jreModules, ","),
		"--strip-java-debug-attributes", "--no-header-files", "--no-man-pages", "--output", jre))
	if err != nil {
		return fmt.Errorf("cut a Java runtime from %s: %w", jdk, err)
	}
	// A runtime without the shared archive of the core classes parses each of
	// them again in every JVM: a third of a second a process.
	if err := run(exec.CommandContext(ctx, filepath.Join(jre, "bin", "java"), "-Xshare:dump")); err != nil {
		return fmt.Errorf("archive the Java runtime's classes: %w", err)
	}
	return writeTar(dest, func(t *tarWriter) error { return t.tree(os.DirFS(jre), "opt/jre", nil) })
}

// buildSpark puts the distribution's part that a pod needs into /opt/spark, with
// the entry point and a user. Hadoop's login and Ivy both need the user that a
// pod runs as to have a name and a home.
func buildSpark(ctx context.Context, home, rootfs string, drop []string, dest string) error {
	passwd, err := readTarFile(rootfs, "etc/passwd")
	if err != nil {
		return fmt.Errorf("read the userland's users: %w", err)
	}
	python, err := os.MkdirTemp(filepath.Dir(dest), "lib"+tempMark)
	if err != nil {
		return err
	}
	defer os.RemoveAll(python)
	if err := compileLibraries(ctx, filepath.Join(home, "python", "lib"), python); err != nil {
		return err
	}
	passwd = append(passwd, fmt.Sprintf("spark:x:%d:0:Spark:%s:/bin/bash\n", sparkUID, workDir)...)
	return writeTar(dest, func(t *tarWriter) error {
		keep := func(name string) bool { return path.Ext(name) != ".cmd" && !droppedJar(name, drop) }
		for _, folder := range []string{"bin", "jars"} {
			if err := t.tree(os.DirFS(filepath.Join(home, folder)), "opt/spark/"+folder, keep); err != nil {
				return err
			}
		}
		if err := t.tree(os.DirFS(python), "opt/spark/python/lib", nil); err != nil {
			return err
		}
		for _, name := range []string{"LICENSE", "NOTICE"} {
			text, err := os.ReadFile(filepath.Join(home, name))
			if errors.Is(err, fs.ErrNotExist) {
				continue
			} else if err != nil {
				return err
			}
			if err := t.file("opt/spark/"+name, text, 0o644); err != nil {
				return err
			}
		}
		if err := t.dir(strings.TrimPrefix(workDir, "/"), 0o777|fs.ModeSticky); err != nil {
			return err
		}
		if err := t.file(strings.TrimPrefix(entrypointPath, "/"), entrypoint, 0o755); err != nil {
			return err
		}
		return t.file("etc/passwd", passwd, 0o644)
	})
}

// buildTree puts a file tree at an absolute path of the image.
func buildTree(tree fs.FS, at, dest string) error {
	return writeTar(dest, func(t *tarWriter) error { return t.tree(tree, strings.TrimPrefix(at, "/"), nil) })
}

// droppedJar tells whether the image goes without that file of jars/.
func droppedJar(name string, drop []string) bool {
	if strings.HasPrefix(name, "connect-repl/") {
		return true
	}
	base := path.Base(name)
	if path.Ext(base) != ".jar" {
		return false
	}
	foreign := "*aarch_64*"
	if runtime.GOARCH == "arm64" {
		foreign = "*x86_64*"
	}
	for _, pattern := range append([]string{foreign}, drop...) {
		if ok, _ := path.Match(pattern, base); ok {
			return true
		}
	}
	return false
}
