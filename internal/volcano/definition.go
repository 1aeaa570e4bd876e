// Package volcano has what tests and benchmarks need of Volcano's API where
// Volcano itself is not installed.
package volcano

import _ "embed"

//go:embed podgroup-crd.yaml
var podGroupDefinition []byte

// PodGroupDefinition is the least definition with which an API server serves
// PodGroups, as YAML.
func PodGroupDefinition() []byte { return podGroupDefinition }
