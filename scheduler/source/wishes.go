package source

import (
	"fmt"
	"time"

	"muster.sh/muster/api/v1alpha1"
	"muster.sh/muster/scheduler/gang"
)

// readWishes reads what every gang may ask for by annotations of the object that
// declares it.
func readWishes(annotations map[string]string, g *gang.Gang) error {
	var err error
	if g.Topology, err = topology(annotations); err != nil {
		return err
	}
	if g.BelowMinimum, err = belowMinimum(annotations); err != nil {
		return err
	}
	g.Moves, err = moves(annotations)
	return err
}

// belowMinimum reads what is to become of a gang that loses members.
func belowMinimum(annotations map[string]string) (gang.BelowMinimum, error) {
	var b gang.BelowMinimum
	if text, ok := annotations[v1alpha1.BelowMinimumAnnotation]; ok {
		b.Policy = gang.Policy(text)
		switch b.Policy {
		case gang.Continue, gang.Wait, gang.Go:
		default:
			return b, fmt.Errorf("the annotation %s=%.64q is not known; set it to %s, %s or %s",
				v1alpha1.BelowMinimumAnnotation, text, gang.Continue, gang.Wait, gang.Go)
		}
	}
	if text, ok := annotations[v1alpha1.BelowMinimumTimeoutAnnotation]; ok {
		d, err := time.ParseDuration(text)
		if err != nil || d <= 0 {
			return b, fmt.Errorf("the annotation %s=%.64q is not a time; set it to one such as 90s or 10m", v1alpha1.BelowMinimumTimeoutAnnotation, text)
		}
		b.Timeout = d
	}
	return b, nil
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
