package source

import (
	"fmt"

	"muster.sh/muster/api/v1alpha1"
	"muster.sh/muster/scheduler/gang"
)

// annotated sets what the annotations of its owner say of a gang.
func annotated(g *gang.Gang, annotations map[string]string) error {
	var err error
	if g.Topology, err = topology(annotations); err != nil {
		return err
	}
	g.Moves, err = moves(annotations)
	return err
}

// moves reads what of a gang may be moved.
func moves(annotations map[string]string) (gang.Moves, error) {
	switch text, ok := annotations[v1alpha1.MovableAnnotation]; {
	case !ok:
		return gang.MovesElastic, nil
	case text == v1alpha1.MovableWhole:
		return gang.MovesWhole, nil
	case text == v1alpha1.MovableNot:
		return gang.MovesNothing, nil
	default:
		return "", fmt.Errorf("the annotation %s=%.64q is neither %s nor %s; set it to one of them, or leave it out",
			v1alpha1.MovableAnnotation, text, v1alpha1.MovableWhole, v1alpha1.MovableNot)
	}
}
