package localcluster

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"muster.sh/muster/internal/localcluster/toolchain"
)

func TestEveryVersionOfKubernetesHasItsModule(t *testing.T) {
	var want []string
	for _, version := range KubernetesVersions() {
		if version != ownKubernetes {
			want = append(want, "../../tools/"+toolchain.Kubernetes(version))
		}
	}
	got, err := filepath.Glob("../../tools/" + toolchain.Kubernetes("*"))
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	if !strings.HasPrefix(kubernetesVersion, "v"+ownKubernetes+".") {
		t.Errorf("%s is not of %s", kubernetesVersion, ownKubernetes)
	}
}

func TestAClusterKeepsItsVersion(t *testing.T) {
	stored := func(version string) State {
		return State{Server: "https://127.0.0.1:1", Spec: Spec{KubernetesVersion: version}}
	}
	tests := []struct {
		name    string
		state   State
		version string
		refused bool
	}{
		{"a new folder takes any", State{}, "1.34", false},
		{"the same goes on", stored("1.34"), "1.34", false},
		{"an older one is refused", stored("1.35"), "1.34", true},
		{"a newer one is refused", stored("1.35"), "", true},
		{"a folder that names none has the own one", stored(""), "", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			spec := Spec{Dir: "/d", KubernetesVersion: test.version}
			spec.setDefaults()
			err := spec.validateChange(test.state)
			if (err != nil) != test.refused {
				t.Errorf("got %v", err)
			}
		})
	}
}
