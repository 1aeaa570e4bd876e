package source

import (
	"fmt"

	"k8s.io/apimachinery/pkg/util/validation"

	"muster.sh/muster/api/v1alpha1"
	"muster.sh/muster/scheduler/gang"
)

// topology reads how near to each other the members of a gang are to be from the
// annotations of its owner. The label that is preferred comes first: it is the
// nearer one where both are given.
func topology(annotations map[string]string) (gang.Topology, error) {
	var t gang.Topology
	for _, key := range []string{v1alpha1.PreferredTopologyAnnotation, v1alpha1.RequiredTopologyAnnotation} {
		label, ok := annotations[key]
		if !ok {
			continue
		}
		if errs := validation.IsQualifiedName(label); len(errs) > 0 {
			return t, fmt.Errorf("the annotation %s=%.64q is not the key of a node label (%s); set it to one such as topology.kubernetes.io/zone", key, label, errs[0])
		}
		t.Levels = append(t.Levels, label)
		t.Required = key == v1alpha1.RequiredTopologyAnnotation
	}
	return t, nil
}
