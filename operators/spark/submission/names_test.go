package submission

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/validation"
	"pgregory.net/rapid"

	"muster.sh/muster/operators/spark/submission/conformance"
)

func TestNamesOfObjectsBeginWithTheApplications(t *testing.T) {
	for name, want := range map[string]string{
		"flights":        "flights-" + conformance.UniqueID,
		"  Hello, World": "hello-world-" + conformance.UniqueID,
		"2nd":            "xnd-" + conformance.UniqueID,
		"--a--":          "a-" + conformance.UniqueID,
		"ΑΒΓ":            conformance.UniqueID[:0] + "x" + conformance.UniqueID[1:],
	} {
		if got := namePrefix(name, conformance.UniqueID); got != want {
			t.Errorf("%q makes %q, not %q", name, got, want)
		}
	}
}

// Whatever an application is called, its objects have names and its pods labels that
// the API server takes.
func TestEveryNameMakesValidNames(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.OneOf(rapid.String(), rapid.StringMatching(`[A-Za-z0-9 ._-]{0,150}`)).Draw(t, "name")
		if problems := validation.IsDNS1123Label(namePrefix(name, conformance.UniqueID)); len(problems) > 0 && len(name) < 40 {
			t.Errorf("%q makes the prefix %q: %s", name, namePrefix(name, conformance.UniqueID), strings.Join(problems, ", "))
		}
		if problems := validation.IsValidLabelValue(nameLabel(name)); len(problems) > 0 {
			t.Errorf("%q makes the label %q: %s", name, nameLabel(name), strings.Join(problems, ", "))
		}
	})
}
