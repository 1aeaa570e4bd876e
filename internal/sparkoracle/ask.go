// Package sparkoracle puts questions to a real Spark distribution, by a program of a
// single Java file that runs on Spark's own classes, and keeps the answers, so that what
// Muster says of Spark can be compared with what Spark says.
package sparkoracle

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
)

// Program reads questions from the file that its first argument names, and writes
// answers into that of the second, both as JSON.
type Program struct {
	// Name of the Java file, and its text.
	Name string
	Text []byte
	// Options are those of the JVM.
	Options []string
	// Env is set beside the least that a JVM needs: neither settings nor credentials of
	// whoever runs this are part of the questions.
	Env []string
}

// Ask puts questions to the Spark distribution in sparkHome, all of them in one process,
// and returns its answers. It needs a JDK of at least version 17 as "java" on the path.
func Ask[A any](ctx context.Context, sparkHome string, p Program, questions any) (answers A, err error) {
	dir, err := os.MkdirTemp("", "muster-conformance-")
	if err != nil {
		return answers, err
	}
	defer os.RemoveAll(dir)
	text, err := json.Marshal(questions)
	if err != nil {
		return answers, fmt.Errorf("encode questions: %w", err)
	}
	source := filepath.Join(dir, p.Name)
	asked, answered := filepath.Join(dir, "questions.json"), filepath.Join(dir, "answers.json")
	if err := os.WriteFile(source, p.Text, 0o600); err != nil {
		return answers, err
	}
	if err := os.WriteFile(asked, text, 0o600); err != nil {
		return answers, err
	}

	args := slices.Concat(p.Options, []string{"-cp", filepath.Join(sparkHome, "jars", "*"), source, asked, answered})
	java := exec.CommandContext(ctx, "java", args...)
	java.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "LANG=C.UTF-8", "SPARK_LOCAL_IP=127.0.0.1"}, p.Env...)
	java.Dir = dir
	var log bytes.Buffer
	java.Stdout, java.Stderr = &log, &log
	if err := java.Run(); err != nil {
		return answers, fmt.Errorf("run Spark from %s: %w\n%s", sparkHome, err, tail(log.Bytes()))
	}
	return Read[A](answered)
}

// tail is the end of a log, where the reason of a failure is.
func tail(log []byte) []byte {
	const enough = 4096
	return log[max(0, len(log)-enough):]
}
