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

	corev1 "k8s.io/api/core/v1"

	"muster.sh/muster/internal/sparkoracle"
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

// Ask puts the questions to the Spark distribution in sparkHome.
func Ask(ctx context.Context, sparkHome string, questions Questions) (Answers, error) {
	return sparkoracle.Ask[Answers](ctx, sparkHome, sparkoracle.Program{Name: "Conformance.java", Text: program}, questions)
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
	fmt.Fprintf(out, ",\n%q: ", name)
	return sparkoracle.WriteList(out, list)
}
