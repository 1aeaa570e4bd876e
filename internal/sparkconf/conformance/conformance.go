// Package conformance asks a real Spark distribution what it makes of a table
// of settings, so that Muster's restatement of Spark's arithmetic can be
// compared with the original.
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

	corev1 "k8s.io/api/core/v1"
)

//go:embed Conformance.java
var program []byte

// Questions is what a Spark distribution is asked.
type Questions struct {
	Executors  []Case   `json:"executors"`
	Memory     []string `json:"memory"`
	Properties []string `json:"properties"`
}

// Answers is what a Spark distribution says, each list in the order of the
// questions.
type Answers struct {
	SparkVersion string             `json:"sparkVersion"`
	Executors    []ExecutorAnswer   `json:"executors"`
	Memory       []MemoryAnswer     `json:"memory"`
	Properties   []PropertiesAnswer `json:"properties"`
}

// ExecutorAnswer is what becomes of one application.
type ExecutorAnswer struct {
	Name string `json:"name"`
	// Error is Spark's refusal; the other fields are set as far as it came.
	Error string `json:"error,omitempty"`
	// Properties is the text of spark.properties that spark-submit stores.
	Properties string `json:"properties,omitempty"`
	// Driver is the driver pod, without its containers.
	Driver *corev1.Pod `json:"driver,omitempty"`
	// InitialExecutors is the number of executors that Spark starts with.
	InitialExecutors int `json:"initialExecutors,omitempty"`
	// Executor is the executor pod as Spark sends it to the API server, without
	// environment, arguments and mounts. It need not be a valid one.
	Executor json.RawMessage `json:"executor,omitempty"`
}

// MemoryAnswer is a memory string as a number; nil if Spark refuses it.
type MemoryAnswer struct {
	Text  string `json:"text"`
	MiB   *int64 `json:"mib"`
	Bytes *int64 `json:"bytes"`
}

// PropertiesAnswer is a properties text as Spark loads it.
type PropertiesAnswer struct {
	Text   string            `json:"text"`
	Error  string            `json:"error,omitempty"`
	Values map[string]string `json:"values,omitempty"`
}

// Ask puts the questions to the Spark distribution in sparkHome. It needs a JDK
// of at least version 17 as "java" on the path.
func Ask(ctx context.Context, sparkHome string, questions Questions) (Answers, error) {
	dir, err := os.MkdirTemp("", "muster-conformance-")
	if err != nil {
		return Answers{}, err
	}
	defer os.RemoveAll(dir)
	text, err := json.Marshal(questions)
	if err != nil {
		return Answers{}, fmt.Errorf("encode questions: %w", err)
	}
	source := filepath.Join(dir, "Conformance.java")
	asked, answered := filepath.Join(dir, "questions.json"), filepath.Join(dir, "answers.json")
	if err := os.WriteFile(source, program, 0o600); err != nil {
		return Answers{}, err
	}
	if err := os.WriteFile(asked, text, 0o600); err != nil {
		return Answers{}, err
	}

	jars := filepath.Join(sparkHome, "jars", "*")
	java := exec.CommandContext(ctx, "java", "-cp", jars, source, asked, answered)
	// Spark's settings in the environment of whoever runs this are not part of
	// the questions.
	java.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "LANG=C.UTF-8", "SPARK_LOCAL_IP=127.0.0.1"}
	java.Dir = dir
	var log bytes.Buffer
	java.Stdout, java.Stderr = &log, &log
	if err := java.Run(); err != nil {
		return Answers{}, fmt.Errorf("run Spark from %s: %w\n%s", sparkHome, err, tail(log.Bytes()))
	}
	return Read(answered)
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
	fmt.Fprintf(&out, "{\"sparkVersion\": %q", answers.SparkVersion)
	if err := writeList(&out, "executors", answers.Executors); err != nil {
		return err
	}
	if err := writeList(&out, "memory", answers.Memory); err != nil {
		return err
	}
	if err := writeList(&out, "properties", answers.Properties); err != nil {
		return err
	}
	out.WriteString("}\n")
	return os.WriteFile(path, out.Bytes(), 0o644)
}

func writeList[T any](out *bytes.Buffer, name string, list []T) error {
	fmt.Fprintf(out, ",\n%q: [", name)
	for i, item := range list {
		text, err := json.Marshal(item)
		if err != nil {
			return fmt.Errorf("encode answers: %w", err)
		}
		if i > 0 {
			out.WriteByte(',')
		}
		out.WriteByte('\n')
		out.Write(text)
	}
	out.WriteString("\n]")
	return nil
}

// tail is the end of a log, where the reason of a failure is.
func tail(log []byte) []byte {
	const enough = 4096
	return log[max(0, len(log)-enough):]
}
