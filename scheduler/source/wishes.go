package source

import (
	"cmp"
	"fmt"
	"math"
	"time"

	v1 "k8s.io/api/core/v1"

	"muster.sh/muster/api/v1alpha1"
	"muster.sh/muster/internal/sparkconf"
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
	if g.Runtime, err = positiveTime(annotations, v1alpha1.RuntimeAnnotation); err != nil {
		return err
	}
	if g.Application = annotations[v1alpha1.ApplicationAnnotation]; len(g.Application) > maxApplicationName {
		return fmt.Errorf("the annotation %s=%.64q… is longer than %d characters; choose a shorter name", v1alpha1.ApplicationAnnotation, g.Application, maxApplicationName)
	}
	if g.Moves, err = moves(annotations); err != nil {
		return err
	}
	g.NonPreemptible, err = nonPreemptible(annotations)
	return err
}

// maxApplicationName is as long as names of objects may be: they are remembered.
const maxApplicationName = 253

// positiveTime reads a time from an annotation, zero where there is none.
func positiveTime(annotations map[string]string, key string) (time.Duration, error) {
	text, ok := annotations[key]
	if !ok {
		return 0, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("the annotation %s=%.64q is not a time; set it to one such as 90s or 10m", key, text)
	}
	return d, nil
}

// readPod reads what a pod that declares a gang says besides of how long that runs, and of
// which application it is.
func readPod(p *v1.Pod, g *gang.Gang) {
	if seconds := p.Spec.ActiveDeadlineSeconds; seconds != nil {
		if d := time.Duration(min(*seconds, maxSeconds)) * time.Second; g.Runtime == 0 || d < g.Runtime {
			g.Runtime = d
		}
	}
	g.Application = cmp.Or(g.Application, p.Labels[sparkconf.LabelAppName])
}

// maxSeconds is the longest time that a Duration can tell.
const maxSeconds = math.MaxInt64 / int64(time.Second)

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
	var err error
	b.Timeout, err = positiveTime(annotations, v1alpha1.BelowMinimumTimeoutAnnotation)
	return b, err
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

// nonPreemptible reads whether a gang claims that nobody may take what it has.
func nonPreemptible(annotations map[string]string) (bool, error) {
	switch text, ok := annotations[v1alpha1.NonPreemptibleAnnotation]; {
	case !ok, text == "false":
		return false, nil
	case text == "true":
		return true, nil
	default:
		return false, fmt.Errorf("the annotation %s=%.64q is neither true nor false; set it to one of them, or leave it out",
			v1alpha1.NonPreemptibleAnnotation, text)
	}
}
