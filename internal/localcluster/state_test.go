package localcluster

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	apiequality "k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/resource"
)

func TestStateIsReadAsItWasWritten(t *testing.T) {
	dir := t.TempDir()
	shape, err := ParseShape("cpu=4,memory=8Gi,zones=2")
	if err != nil {
		t.Fatal(err)
	}
	spec := Spec{
		Dir: dir, Keep: true, SimNodes: 3, SimNodeShape: shape, NodeMemory: resource.MustParse("8Gi"),
		FeatureGates: map[string]bool{"A": true}, Schedulers: []SchedulerSpec{DefaultScheduler()},
	}
	c, err := open(spec)
	if err != nil {
		t.Fatal(err)
	}
	c.state.Server, c.state.Ports["kube-apiserver"] = "https://127.0.0.1:20001", 20001
	if err := c.saveState(); err != nil {
		t.Fatal(err)
	}
	state, err := ReadState(dir)
	if err != nil {
		t.Fatal(err)
	}
	if !apiequality.Semantic.DeepEqual(state, c.state) {
		t.Errorf("read %+v\nwant %+v", state, c.state)
	}
	if !state.Owner.Alive() {
		t.Error("this process is not alive")
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if state, err := ReadState(dir); err != nil || state.Owner.Alive() {
		t.Errorf("after the close: %+v, %v", state.Owner, err)
	}
}

func TestAFolderWithoutAClusterIsToldFromADamagedOne(t *testing.T) {
	dir := t.TempDir()
	if _, err := ReadState(dir); !errors.Is(err, ErrNoCluster) {
		t.Errorf("an empty folder: %v", err)
	}
	if _, err := ReadState(filepath.Join(dir, "none")); !errors.Is(err, ErrNoCluster) {
		t.Errorf("no folder: %v", err)
	}
	if err := os.WriteFile(layout{dir: dir}.state(), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadState(dir); err == nil || errors.Is(err, ErrNoCluster) {
		t.Errorf("a damaged file: %v", err)
	}
}

func TestOnlyOneProcessOwnsAFolder(t *testing.T) {
	dir := t.TempDir()
	first, err := open(Spec{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := open(Spec{Dir: dir}); err == nil {
		t.Error("the folder is taken twice")
	}
	if err := Remove(dir); err == nil {
		t.Error("the state of a running cluster is removed")
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second, err := open(Spec{Dir: dir})
	if err != nil {
		t.Fatalf("after the first is closed: %v", err)
	}
	if err := second.Close(); err != nil {
		t.Error(err)
	}
}

func TestRemoveLeavesFilesOfOthers(t *testing.T) {
	dir := t.TempDir()
	mine := filepath.Join(dir, "notes.txt")
	if err := os.WriteFile(mine, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := open(Spec{Dir: dir, Keep: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(c.Close(), Remove(dir)); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 || entries[0].Name() != "notes.txt" {
		t.Errorf("left: %v, %v", entries, err)
	}
}

func TestAnEndedProcessIsNotAlive(t *testing.T) {
	child := exec.Command("sleep", "60")
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	owner, err := ownerOf(child.Process.Pid)
	if err != nil || !owner.Alive() {
		t.Errorf("a running child: %+v, %v", owner, err)
	}
	reused := owner
	reused.StartTicks++
	if reused.Alive() {
		t.Error("another process with the same number is taken for it")
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // it was killed
	if owner.Alive() {
		t.Error("an ended child is alive")
	}
	if (Owner{}).Alive() {
		t.Error("nobody is alive")
	}
}
