package run

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/version"
	apiversion "k8s.io/apimachinery/pkg/version"
	utilfeature "k8s.io/apiserver/pkg/util/feature"
	discoveryfake "k8s.io/client-go/discovery/fake"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/component-base/featuregate"
	baseversion "k8s.io/component-base/version"
	"k8s.io/kubernetes/pkg/features"
)

// serverOf is an API server that says it is of that version.
func serverOf(info apiversion.Info) *discoveryfake.FakeDiscovery {
	server := fake.NewClientset().Discovery().(*discoveryfake.FakeDiscovery)
	server.FakedServerVersion = &info
	return server
}

// ownGates are a copy of those that this kube-scheduler has by itself, whatever another
// test has made of the process's own.
func ownGates(t *testing.T) featuregate.MutableVersionedFeatureGate {
	t.Helper()
	gates := utilfeature.DefaultMutableFeatureGate.DeepCopyAndReset()
	if err := gates.SetEmulationVersion(version.MustParse(baseversion.DefaultKubeBinaryVersion)); err != nil {
		t.Fatal(err)
	}
	return gates
}

func TestTheGatesAreThoseOfTheAPIServersVersion(t *testing.T) {
	tests := []struct {
		name string
		info apiversion.Info
		// want is the version that is emulated; empty: the server is refused.
		want string
	}{
		{"the same version", apiversion.Info{Major: "1", Minor: "37"}, "1.37"},
		{"an older one", apiversion.Info{Major: "1", Minor: "36"}, "1.36"},
		{"the oldest", apiversion.Info{Major: "1", Minor: "34"}, "1.34"},
		{"one before the oldest is refused", apiversion.Info{Major: "1", Minor: "33"}, ""},
		{"a newer one counts as the own", apiversion.Info{Major: "1", Minor: "38"}, "1.37"},
		{"a distribution's", apiversion.Info{Major: "1", Minor: "35+", GitVersion: "v1.35.2-eks-1234567"}, "1.35"},
		{"one that emulates another", apiversion.Info{Major: "1", Minor: "37", EmulationMajor: "1", EmulationMinor: "36"}, "1.36"},
		{"one that says nothing is refused", apiversion.Info{}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			gate := ownGates(t)
			err := emulate(t.Context(), serverOf(test.info), gate)
			if test.want == "" {
				if err == nil {
					t.Error("it is not refused")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := gate.EmulationVersion().String(); got != test.want {
				t.Errorf("%s is emulated, want %s", got, test.want)
			}
			// Before 1.37 no API server serves by default what this one waits for.
			if on := gate.Enabled(features.DRADeviceTaintRules); on != (test.want == "1.37") {
				t.Errorf("%s is on: %v", features.DRADeviceTaintRules, on)
			}
		})
	}
}

func TestAnAPIServerThatDoesNotAnswerIsAnError(t *testing.T) {
	client := fake.NewClientset()
	away := errors.New("away")
	client.PrependReactor("get", "version", func(clienttesting.Action) (bool, runtime.Object, error) { return true, nil, away })
	err := emulate(t.Context(), client.Discovery(), ownGates(t))
	if !errors.Is(err, away) {
		t.Errorf("got %v", err)
	}
}

func TestGatesThatDoNotExistYetMayBeAskedToBeOff(t *testing.T) {
	for asked, refused := range map[string]string{
		"GenericWorkload=false": "",
		"GenericWorkload=true":  "PreAlpha",
		"Nonsense=false":        "unrecognized",
	} {
		gate := ownGates(t)
		if err := emulate(t.Context(), serverOf(apiversion.Info{Major: "1", Minor: "34"}), gate); err != nil {
			t.Fatal(err)
		}
		name, on, _ := strings.Cut(asked, "=")
		gates := map[string]bool{name: on == "true"}
		withoutUnborn(gates, gate)
		err := gate.SetFromMap(gates)
		if refused == "" && err != nil || refused != "" && (err == nil || !strings.Contains(err.Error(), refused)) {
			t.Errorf("%s: %v", asked, err)
		}
	}
}

func TestWhatIsLostIsTold(t *testing.T) {
	before := ownGates(t)
	after := before.DeepCopy()
	if err := after.SetEmulationVersion(version.MajorMinor(1, 34)); err != nil {
		t.Fatal(err)
	}
	if got := lost(before, after); !slices.Contains(got, "NodeDeclaredFeatures") || slices.Contains(got, "PodLevelResources") {
		t.Errorf("got %v: NodeDeclaredFeatures came after 1.34, PodLevelResources is in it", got)
	}
}
