package source

import (
	"slices"
	"testing"

	"muster.sh/muster/api/v1alpha1"
	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/gang"
)

const unreadableMovable = `the annotation muster.sh/movable="yes" is neither true nor false; set it to one of them, or leave it out`

const unreadableClaim = `the annotation muster.sh/non-preemptible="yes" is neither true nor false; set it to one of them, or leave it out`

func TestWhetherAGangClaimsToBeNonPreemptibleIsReadFromAnAnnotation(t *testing.T) {
	for text, want := range map[string]bool{"": false, "true": true, "false": false, "yes": false} {
		annotations := map[string]string{v1alpha1.NonPreemptibleAnnotation: text}
		if text == "" {
			annotations = nil
		}
		var g gang.Gang
		switch err := readWishes(annotations, &g); {
		case text == "yes":
			if err == nil || err.Error() != unreadableClaim {
				t.Errorf("%q: %v", text, err)
			}
		case err != nil || g.NonPreemptible != want:
			t.Errorf("%q is read as %t, %v", text, g.NonPreemptible, err)
		}
	}
}

func TestWhatMayBeMovedIsReadFromAnAnnotation(t *testing.T) {
	for text, want := range map[string]gang.Moves{"": gang.MovesElastic, "true": gang.MovesWhole, "false": gang.MovesNothing, "yes": ""} {
		t.Run(text, func(t *testing.T) {
			var options []podOption
			if text != "" {
				options = append(options, annotation(v1alpha1.MovableAnnotation, text))
			}
			for _, pod := range [][]podOption{
				{ofJob("1")}, {executorOf("app"), annotation(v1alpha1.MinExecutorsAnnotation, "1")},
			} {
				s := newStory(t)
				s.take()
				s.setPod(newPod("p", slices.Concat(pod, options)...))
				events, _ := s.take()
				switch e := events[0].(type) {
				case core.GangSet:
					if text == "yes" || e.Gang.Moves != want {
						t.Errorf("%s moves %q, want %q", e.Gang.ID, e.Gang.Moves, want)
					}
				case core.GangRefused:
					if text != "yes" || e.Verdict.Detail != unreadableMovable {
						t.Errorf("it is refused: %s", e.Verdict.Detail)
					}
				default:
					t.Errorf("told is %+v", events)
				}
			}
		})
	}
}
