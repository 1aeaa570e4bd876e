// Package operator compares operators of SparkApplications: each submits many on a
// cluster of its own with simulated nodes and played drivers, and is judged from outside:
// by watches, the API server's audit log, and what its processes use.
package operator

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"muster.sh/muster/internal/localcluster"
)

// Operator is one that is compared.
type Operator struct {
	Name string
	// About says in a sentence what it is, with its version.
	About string
	// Component is its process in the cluster.
	Component string
	// Users are whom the API server takes it for.
	Users []string
	// Setup adds to a cluster what it needs. Files that it makes for that go to the folder.
	Setup func(ctx context.Context, spec *localcluster.Spec, dir string) error
	// Ready adds to the folder what can be had only once the cluster runs; nil: nothing.
	Ready func(ctx context.Context, cluster *localcluster.Cluster, dir string) error
}

// all lists the operators; sparkHome is where spark-operator finds spark-submit.
func all(sparkHome string) []Operator {
	return []Operator{muster(), sparkOperator(sparkHome)}
}

func find(name, sparkHome string) (Operator, error) {
	var names []string
	for _, o := range all(sparkHome) {
		if o.Name == name {
			return o, nil
		}
		names = append(names, o.Name)
	}
	return Operator{}, fmt.Errorf("no operator is called %q here; there are %v", name, names)
}

// muster is muster-operators as it is in this checkout: the program beside this one where
// there is one, since muster-local, which has it too, is of all Kubernetes.
func muster() Operator {
	return Operator{
		Name: "muster", About: "muster-operators as it is in this checkout, default settings",
		Component: localcluster.OperatorsComponent, Users: []string{localcluster.OperatorsComponent},
		Setup: func(_ context.Context, spec *localcluster.Spec, _ string) error {
			self, err := os.Executable()
			if err != nil {
				return fmt.Errorf("find this program: %w", err)
			}
			spec.Operators = &localcluster.OperatorsSpec{}
			if program := filepath.Join(filepath.Dir(self), localcluster.OperatorsComponent); exists(program) {
				spec.Operators.Binary = program
			}
			return nil
		},
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// writeManifest keeps a manifest in a folder and has a cluster apply it.
func writeManifest(spec *localcluster.Spec, dir, name, content string) error {
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		return fmt.Errorf("keep a manifest: %w", err)
	}
	spec.Manifests = append(spec.Manifests, path)
	return nil
}
