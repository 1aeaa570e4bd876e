package sparkconf

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"

	corev1 "k8s.io/api/core/v1"
	kubejson "k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/yaml"
)

const (
	keyTemplateFile      = "spark.kubernetes.executor.podTemplateFile"
	keyTemplateContainer = "spark.kubernetes.executor.podTemplateContainerName"
)

// ReadTemplate reads an executor pod template, a pod in YAML or JSON. Fields
// that it doesn't know are ignored, as Spark ignores them. The error is a
// *KeyError.
func ReadTemplate(text string) (*corev1.Pod, error) {
	if len(text) > MaxTextBytes {
		return nil, templateError(fmt.Sprintf("is %d bytes long, more than the %d that a ConfigMap can hold", len(text), MaxTextBytes))
	}
	document, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		return nil, templateError("is not valid YAML: " + err.Error())
	}
	if number, found := hugeExponent(document); found {
		return nil, templateError(fmt.Sprintf("holds the number %q, beyond any quantity", number))
	}
	pod := &corev1.Pod{}
	if err := kubejson.Unmarshal(document, pod); err != nil {
		return nil, templateError("is not a pod: " + err.Error())
	}
	if pod.Kind != "" && pod.Kind != "Pod" {
		return nil, templateError(fmt.Sprintf("is a %s, not a Pod", pod.Kind))
	}
	return pod, nil
}

func templateError(why string) error {
	return &KeyError{Key: keyTemplateFile, Why: why, Cure: "correct the pod template"}
}

// exponentPattern is a number with an exponent of three digits or more. As a
// quantity it would take forever to read; see quantityPattern.
var exponentPattern = regexp.MustCompile(`^\s*[+-]?[0-9.]+[eE][+-]?[0-9]{3,}\s*$`)

// hugeExponent looks for such a number anywhere in a JSON document.
func hugeExponent(document []byte) (string, bool) {
	decoder := json.NewDecoder(bytes.NewReader(document))
	decoder.UseNumber()
	for {
		token, err := decoder.Token()
		if err != nil {
			return "", false
		}
		text := ""
		switch scalar := token.(type) {
		case string:
			text = scalar
		case json.Number:
			text = scalar.String()
		}
		if exponentPattern.MatchString(text) {
			return text, true
		}
	}
}

// SplitTemplate takes the container that Spark runs in out of a template: the
// named one if there is exactly one, else the first. The others are returned in
// their order.
func SplitTemplate(containers []corev1.Container, name string) (spark corev1.Container, others []corev1.Container) {
	if len(containers) == 0 {
		return corev1.Container{}, nil
	}
	chosen, matches := 0, 0
	for i := range containers {
		if containers[i].Name == name {
			chosen = i
			matches++
		}
	}
	if matches != 1 {
		chosen = 0
	}
	others = append(others, containers[:chosen]...)
	others = append(others, containers[chosen+1:]...)
	return containers[chosen], others
}
