package v1alpha1

import (
	"errors"
	"fmt"
	"os"

	"sigs.k8s.io/json"
	"sigs.k8s.io/yaml"
)

// LoadScheduler reads the file of a SchedulerConfiguration, fills in defaults
// and checks it. A field that does not exist is an error.
func LoadScheduler(path string) (*SchedulerConfiguration, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the configuration: %w", err)
	}
	c, err := ParseScheduler(data)
	if err != nil {
		return nil, fmt.Errorf("configuration %s: %w", path, err)
	}
	return c, nil
}

// ParseScheduler is LoadScheduler for the text of a file.
func ParseScheduler(data []byte) (*SchedulerConfiguration, error) {
	c := &SchedulerConfiguration{}
	if err := decodeStrict(data, c); err != nil {
		return nil, err
	}
	if c.APIVersion != APIVersion || c.Kind != SchedulerKind {
		return nil, fmt.Errorf("it is of apiVersion %q and kind %q, expected %q and %q", c.APIVersion, c.Kind, APIVersion, SchedulerKind)
	}
	c.Default()
	if errs := c.Validate(); len(errs) > 0 {
		return nil, errs.ToAggregate()
	}
	return c, nil
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
