package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

func TestOnlyLimitsAreTakenOutOfAConfiguration(t *testing.T) {
	before := `{
		"ociVersion": "1.2.0",
		"process": {"args": ["/pause"], "oomScoreAdj": -998},
		"linux": {
			"cgroupsPath": "/k8s.io/abc",
			"namespaces": [{"type": "pid"}],
			"resources": {
				"devices": [{"allow": false, "access": "rwm"}],
				"memory": {"limit": 67108864},
				"cpu": {"shares": 2},
				"unified": {"memory.oom.group": "1"}
			}
		}
	}`
	want := `{
		"ociVersion": "1.2.0",
		"process": {"args": ["/pause"], "oomScoreAdj": -998},
		"linux": {
			"cgroupsPath": "/k8s.io/abc",
			"namespaces": [{"type": "pid"}],
			"resources": {"devices": [{"allow": false, "access": "rwm"}]}
		}
	}`
	file := filepath.Join(t.TempDir(), "config.json")
	if err := os.WriteFile(file, []byte(before), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := dropLimits(file); err != nil {
		t.Fatal(err)
	}
	after, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(decode(t, after), decode(t, []byte(want))) {
		t.Errorf("got %s", after)
	}
}

func decode(t *testing.T, data []byte) (value any) {
	t.Helper()
	if err := json.Unmarshal(data, &value); err != nil {
		t.Fatal(err)
	}
	return value
}

func TestOptionsAreFoundAmongArguments(t *testing.T) {
	args := []string{"runc", "--root", "/run/runc", "create", "--bundle", "/b", "id"}
	for name, want := range map[string]string{"--bundle": "/b", "--root": "/run/runc", "--pid-file": "", "id": ""} {
		if got := option(args, name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}
