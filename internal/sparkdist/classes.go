package sparkdist

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// To parse and verify the many thousand classes of Spark takes two fifths of the CPU
// time of a short job's executors. The image has an archive of them, which Java maps
// into memory instead, wherever the class path begins as it did when the archive was
// made. No folder that has files in it may belong to that beginning, and so Spark's
// folder of settings has to come later.
const (
	// ClasspathJar is what a class path has to begin with. It names all of Spark's
	// jars; Java's own order of a folder's jars is another on each file system.
	ClasspathJar = sparkHome + "/classpath.jar"
	// ClassArchive is the archive, for Java's option -XX:SharedArchiveFile.
	ClassArchive = sparkHome + "/classes.jsa"
)

// rehearsal is the program whose classes are archived.
//
//go:embed rehearsal.py
var rehearsal []byte

// buildClasses makes the archive in a copy of the image's lower layers.
func buildClasses(ctx context.Context, lower []string, dest string) error {
	root, err := os.MkdirTemp(filepath.Dir(dest), "classes"+tempMark)
	if err != nil {
		return err
	}
	defer os.RemoveAll(root)
	for _, layer := range lower {
		if err := run(exec.CommandContext(ctx, "tar", "-C", root, "-xpf", layer)); err != nil {
			return fmt.Errorf("unpack %s: %w", filepath.Base(layer), err)
		}
	}
	if err := writeClasspathJar(filepath.Join(root, ClasspathJar), filepath.Join(root, sparkHome, "jars")); err != nil {
		return fmt.Errorf("write %s: %w", ClasspathJar, err)
	}
	if err := rehearse(ctx, root); err != nil {
		return fmt.Errorf("archive Spark's classes (are you root?): %w", err)
	}
	return writeTar(dest, func(t *tarWriter) error {
		for _, name := range []string{ClasspathJar, ClassArchive} {
			content, err := os.ReadFile(filepath.Join(root, name))
			if err != nil {
				return err
			}
			if err := t.file(strings.TrimPrefix(name, "/"), content, 0o644); err != nil {
				return err
			}
		}
		return nil
	})
}

// rehearse runs the program below root as a driver in a container would run it.
func rehearse(ctx context.Context, root string) error {
	const program = "/tmp/rehearsal.py"
	for name, content := range map[string][]byte{program: rehearsal, "/etc/hosts": []byte("127.0.0.1 localhost\n")} {
		if err := os.WriteFile(filepath.Join(root, name), content, 0o644); err != nil {
			return err
		}
	}
	cmd := exec.CommandContext(ctx, "unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "--root="+root,
		entrypointPath, "driver", "--conf", "spark.ui.enabled=false", "--conf", "spark.driver.extraClassPath="+ClasspathJar,
		"--conf", "spark.driver.extraJavaOptions="+archiveAtExit(ClassArchive), program, nobody)
	cmd.Env = slices.Concat(imageConfig.Env, []string{"SPARK_DRIVER_BIND_ADDRESS=127.0.0.1", "SPARK_LOCAL_IP=127.0.0.1"})
	cmd.WaitDelay = 10 * time.Second
	return run(cmd)
}

// nobody is where a rehearsal looks for Kubernetes.
const nobody = "https://127.0.0.1:1"

// archiveAtExit are the options of Java with which a rehearsal makes an archive. It
// needs no optimized code, and gives up after one refused request to Kubernetes.
func archiveAtExit(archive string) string {
	return "-XX:TieredStopAtLevel=1 -Dkubernetes.request.retry.backoffLimit=0 -XX:ArchiveClassesAtExit=" + archive
}

// writeClasspathJar makes a jar file that has nothing in it but the names of all jars
// in a folder beside it.
func writeClasspathJar(dest, folder string) error {
	jars, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	line := "Class-Path:"
	for _, jar := range jars {
		line += " " + filepath.Base(folder) + "/" + jar.Name()
	}
	dir, err := os.MkdirTemp(filepath.Dir(dest), "classpath"+tempMark)
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	manifest := filepath.Join(dir, "META-INF", "MANIFEST.MF")
	err = writeFile(manifest, strings.NewReader("Manifest-Version: 1.0\n"+folded(line)), 0o644)
	// Java takes only a jar of the same date for the one that it has seen.
	return errors.Join(err, writeZip(dest, dir), os.Chtimes(dest, layerTime, layerTime))
}

// folded breaks a line of a manifest as its format wants it: at 72 bytes, and each
// further line begins with a space.
func folded(line string) string {
	const width = 72
	var text strings.Builder
	for len(line) > width {
		text.WriteString(line[:width] + "\n")
		line = " " + line[width:]
	}
	return text.String() + line + "\n"
}
