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

	"muster.sh/muster/internal/sparkoracle"
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

// Ask gives the cases to the Spark distribution in sparkHome.
func Ask(ctx context.Context, sparkHome string, cases []Case) (Answers, error) {
	answers, err := sparkoracle.Ask[Answers](ctx, sparkHome, sparkoracle.Program{
		Name: "Submit.java", Text: program, Options: []string{"-XX:TieredStopAtLevel=1"},
		Env: []string{"KUBECONFIG=" + os.DevNull, "SPARK_USER=" + User},
	}, cases)
	if err != nil {
		return Answers{}, err
	}
	settle(answers)
	return answers, nil
}

// Write stores answers, one a line so that changes show well.
func Write(path string, answers Answers) error {
	var out bytes.Buffer
	fmt.Fprintf(&out, "{\"sparkVersion\": %q, \"cases\": ", answers.SparkVersion)
	if err := sparkoracle.WriteList(&out, answers.Cases); err != nil {
		return err
	}
	out.WriteString("}\n")
	return os.WriteFile(path, out.Bytes(), 0o644)
}
