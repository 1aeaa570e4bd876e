package command

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"muster.sh/muster/internal/localcluster"
)

func TestSeveralCommandLinesAreSplitAtTheirPrograms(t *testing.T) {
	words := strings.Fields("etcd --config-file=e kube-apiserver --a=1 --b=etcd")
	got, err := SplitCommandLines(words, "etcd", "kube-apiserver")
	want := map[string][]string{"etcd": {"--config-file=e"}, "kube-apiserver": {"--a=1", "--b=etcd"}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := SplitCommandLines([]string{"--a=1", "etcd"}, "etcd"); err == nil {
		t.Error("a flag of no program is taken")
	}
}

// specOf is what "up" with these arguments would start.
func specOf(t *testing.T, args ...string) (localcluster.Spec, error) {
	t.Helper()
	var flags upFlags
	command := newUpCommandWith(&flags)
	if err := command.ParseFlags(args); err != nil {
		return localcluster.Spec{}, err
	}
	return flags.complete()
}

func TestFlagsOfUpMakeTheSpec(t *testing.T) {
	spec, err := specOf(t, "--dir", "/d", "--nodes=2", "--node-cpus=4", "--node-memory=8Gi", "--sim-nodes=3",
		"--sim-node-shape=cpu=4,memory=8Gi,zones=2", "--audit-log", "--feature-gates=A=true,B=false",
		"--runtime-config=a/v1=true", "--default-scheduler=false", "--muster-scheduler=false")
	if err != nil {
		t.Fatal(err)
	}
	if spec.Dir != "/d" || spec.Nodes != 2 || spec.NodeCPUs != 4 || spec.NodeMemory.String() != "8Gi" || spec.SimNodes != 3 ||
		spec.SimNodeShape.Zones != 2 || !spec.AuditLog || !spec.Keep {
		t.Errorf("got %+v", spec)
	}
	if !reflect.DeepEqual(spec.FeatureGates, map[string]bool{"A": true, "B": false}) {
		t.Errorf("gates %v", spec.FeatureGates)
	}
	if spec.Schedulers == nil || len(spec.Schedulers) != 0 {
		t.Errorf("schedulers %v, want none", spec.Schedulers)
	}
	spec, err = specOf(t)
	if err != nil || len(spec.Schedulers) != 2 {
		t.Errorf("by default: %v, %v", spec.Schedulers, err)
	}
}

func TestBadFlagsOfUpAreNamed(t *testing.T) {
	for _, flag := range []string{
		"--sim-node-shape=cpu=4", "--node-memory=much", "--feature-gates=A", "--feature-gates=A=perhaps", "--runtime-config=x",
	} {
		name, _, _ := strings.Cut(flag, "=")
		if _, err := specOf(t, flag); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", flag, err)
		}
	}
}

func TestTheClustersFolder(t *testing.T) {
	t.Setenv("MUSTER_LOCAL_DIR", "")
	t.Setenv("XDG_STATE_HOME", "/state")
	if got, err := clusterDir(""); err != nil || got != "/state/muster/local" {
		t.Errorf("by default: %s, %v", got, err)
	}
	t.Setenv("MUSTER_LOCAL_DIR", "/variable")
	if got, err := clusterDir(""); err != nil || got != "/variable" {
		t.Errorf("by the variable: %s, %v", got, err)
	}
	if got, err := clusterDir("/flag"); err != nil || got != "/flag" {
		t.Errorf("by the flag: %s, %v", got, err)
	}
}

func TestCommandsWithoutAClusterSayHowToStartOne(t *testing.T) {
	for _, args := range [][]string{{"status"}, {"kubeconfig"}, {"logs", "etcd"}, {"load-image", "x.tar"}} {
		root := NewRoot()
		root.SetArgs(append(args, "--dir", filepath.Join(t.TempDir(), "none")))
		if err := root.Execute(); err == nil || !strings.Contains(err.Error(), "muster-local up") {
			t.Errorf("%v: %v", args, err)
		}
	}
}

func TestLogsAreFollowedAsTheyGrow(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.log")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	reader, writer := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- followFile(ctx, file, writer) }()
	for _, line := range []string{"first\n", "second\n"} {
		log, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := log.WriteString(line); err != nil {
			t.Fatal(err)
		}
		if err := log.Close(); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, len(line))
		if _, err := io.ReadFull(reader, got); err != nil || !bytes.Equal(got, []byte(line)) {
			t.Fatalf("read %q, %v", got, err)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
