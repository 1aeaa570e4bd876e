// Package conformance gives a table of applications to a real spark-submit, so
// that the objects that Muster makes of them can be compared with the original's.
package conformance

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

//go:embed Submit.java
var program []byte

// User is the name of the user who runs spark-submit.
const User = "somebody"

// Answers is what one release of Spark does with all cases, in their order.
type Answers struct {
	SparkVersion string   `json:"sparkVersion"`
	Cases        []Answer `json:"cases"`
}

// Answer is what spark-submit does with one case.
type Answer struct {
	Name string `json:"name"`
	// Error is its refusal.
	Error string `json:"error,omitempty"`
	// Requests are those to the API server, in their order.
	Requests []Request `json:"requests"`
}

// Request is a request that carries an object.
type Request struct {
	Method string          `json:"method"`
	Path   string          `json:"path"`
	Object json.RawMessage `json:"object"`
}

// Ask gives the cases to the Spark distribution in sparkHome, all of them in one
// process. It needs a JDK of at least version 17 as "java" on the path.
func Ask(ctx context.Context, sparkHome string, cases []Case) (Answers, error) {
	dir, err := os.MkdirTemp("", "muster-conformance-")
	if err != nil {
		return Answers{}, err
	}
	defer os.RemoveAll(dir)
	text, err := json.Marshal(cases)
	if err != nil {
		return Answers{}, fmt.Errorf("encode the cases: %w", err)
	}
	source := filepath.Join(dir, "Submit.java")
	asked, answered := filepath.Join(dir, "questions.json"), filepath.Join(dir, "answers.json")
	if err := os.WriteFile(source, program, 0o600); err != nil {
		return Answers{}, err
	}
	if err := os.WriteFile(asked, text, 0o600); err != nil {
		return Answers{}, err
	}

	jars := filepath.Join(sparkHome, "jars", "*")
	java := exec.CommandContext(ctx, "java", "-XX:TieredStopAtLevel=1", "-cp", jars, source, asked, answered)
	// Neither settings nor credentials of whoever runs this are part of the cases.
	java.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "LANG=C.UTF-8", "KUBECONFIG=" + os.DevNull,
		"SPARK_USER=" + User, "SPARK_LOCAL_IP=127.0.0.1",
	}
	java.Dir = dir
	var log bytes.Buffer
	java.Stdout, java.Stderr = &log, &log
	if err := java.Run(); err != nil {
		return Answers{}, fmt.Errorf("run Spark from %s: %w\n%s", sparkHome, err, tail(log.Bytes()))
	}
	answers, err := Read(answered)
	if err != nil {
		return Answers{}, err
	}
	settle(answers)
	return answers, nil
}

// Read reads stored answers.
func Read(path string) (Answers, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Answers{}, err
	}
	var answers Answers
	if err := json.Unmarshal(text, &answers); err != nil {
		return Answers{}, fmt.Errorf("decode %s: %w", path, err)
	}
	return answers, nil
}

// Write stores answers, one a line so that changes show well.
func Write(path string, answers Answers) error {
	var out bytes.Buffer
	fmt.Fprintf(&out, "{\"sparkVersion\": %q, \"cases\": [", answers.SparkVersion)
	for i, answer := range answers.Cases {
		text, err := json.Marshal(answer)
		if err != nil {
			return fmt.Errorf("encode answers: %w", err)
		}
		if i > 0 {
			out.WriteByte(',')
		}
		out.WriteByte('\n')
		out.Write(text)
	}
	out.WriteString("\n]}\n")
	return os.WriteFile(path, out.Bytes(), 0o644)
}

// tail is the end of a log, where the reason of a failure is.
func tail(log []byte) []byte {
	const enough = 4096
	return log[max(0, len(log)-enough):]
}
