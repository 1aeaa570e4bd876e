package v1alpha1

import (
	"errors"
	"fmt"
	"os"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/json"
	"sigs.k8s.io/yaml"
)

// LoadScheduler reads the file of a SchedulerConfiguration, fills in defaults
// and checks it. A field that does not exist is an error.
func LoadScheduler(path string) (*SchedulerConfiguration, error) {
	return load(path, ParseScheduler)
}

// LoadOperators is LoadScheduler for an OperatorsConfiguration.
func LoadOperators(path string) (*OperatorsConfiguration, error) {
	return load(path, ParseOperators)
}

// ParseScheduler is LoadScheduler for the text of a file.
func ParseScheduler(data []byte) (*SchedulerConfiguration, error) {
	c := &SchedulerConfiguration{}
	if err := parse(data, c, &c.TypeMeta, SchedulerKind); err != nil {
		return nil, err
	}
	return c, nil
}

// ParseOperators is LoadOperators for the text of a file.
func ParseOperators(data []byte) (*OperatorsConfiguration, error) {
	c := &OperatorsConfiguration{}
	if err := parse(data, c, &c.TypeMeta, OperatorsKind); err != nil {
		return nil, err
	}
	return c, nil
}

func load[C any](path string, parse func([]byte) (*C, error)) (*C, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the configuration: %w", err)
	}
	c, err := parse(data)
	if err != nil {
		return nil, fmt.Errorf("configuration %s: %w", path, err)
	}
	return c, nil
}

// configuration is what all of them have in common.
type configuration interface {
	Default()
	Validate() field.ErrorList
}

func parse(data []byte, c configuration, is *metav1.TypeMeta, kind string) error {
	if err := decodeStrict(data, c); err != nil {
		return err
	}
	if is.APIVersion != APIVersion || is.Kind != kind {
		return fmt.Errorf("it is of apiVersion %q and kind %q, expected %q and %q", is.APIVersion, is.Kind, APIVersion, kind)
	}
	c.Default()
	if errs := c.Validate(); len(errs) > 0 {
		return errs.ToAggregate()
	}
	return nil
}

// decodeStrict reads YAML as Kubernetes does, and names unknown and repeated
// fields by their whole path.
func decodeStrict(data []byte, into any) error {
	asJSON, err := yaml.YAMLToJSONStrict(data)
	if err != nil {
		return err
	}
	wrong, err := json.UnmarshalStrict(asJSON, into)
	if err != nil {
		return err
	}
	return errors.Join(wrong...)
}
