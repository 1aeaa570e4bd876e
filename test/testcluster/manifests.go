package testcluster

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"

	"sigs.k8s.io/yaml"

	chart "muster.sh/muster/charts/muster"
	"muster.sh/muster/internal/volcano"
)

// writeManifests writes what a story needs in the cluster whoever schedules:
// the definitions of PodGroup and of Muster's own objects.
func writeManifests(dir string) error {
	var own [][]byte
	for _, definition := range chart.CustomResourceDefinitions() {
		document, err := yaml.Marshal(definition)
		if err != nil {
			return fmt.Errorf("encode a definition: %w", err)
		}
		own = append(own, document)
	}
	if err := writeFile(dir, "own.yaml", bytes.Join(own, []byte("---\n"))); err != nil {
		return err
	}
	return writeFile(dir, "podgroup.yaml", volcano.PodGroupDefinition())
}

func writeFile(dir, name string, data []byte) error {
	if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
		return fmt.Errorf("write manifest: %w", err)
	}
	return nil
}
