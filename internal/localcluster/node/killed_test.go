package node_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"muster.sh/muster/internal/localcluster"
)

// ownerVariable makes the test binary the owner of a cluster in that folder.
const ownerVariable = "MUSTER_NODE_TEST_OWNER"

func TestMain(m *testing.M) {
	if dir := os.Getenv(ownerVariable); dir != "" {
		if err := own(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// own starts a cluster, says so, and waits to be killed.
func own(dir string) error {
	cluster, err := localcluster.Up(context.Background(), localcluster.Spec{Dir: dir, Nodes: 2, Progress: os.Stdout})
	if err != nil {
		return err
	}
	fmt.Println("owning", cluster.RealNodes())
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// TestAKilledOwnerLeavesNothing kills the owner of a cluster when it has said a
// word: while nodes are being started, when one has, and when all is up.
func TestAKilledOwnerLeavesNothing(t *testing.T) {
	for _, moment := range []string{"coredns", "node-", "owning"} {
		t.Run("killed at "+moment, func(t *testing.T) {
			needNodes(t)
			dir := t.TempDir()
			before := lookAtMachine(t, dir)
			owner := exec.Command("/proc/self/exe")
			owner.Env = append(os.Environ(), ownerVariable+"="+dir)
			owner.Stderr = os.Stderr
			input, err := owner.StdinPipe() // held open: only the kill ends the owner
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = input.Close() }()
			output, err := owner.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := owner.Start(); err != nil {
				t.Fatal(err)
			}
			said := await(output, moment)
			footprint := footprintOf(t, owner.Process.Pid, true)
			if err := owner.Process.Kill(); err != nil {
				t.Error(err)
			}
			_ = owner.Wait() // it was killed
			if !strings.Contains(said, moment) {
				t.Fatalf("the owner never said %q, but:\n%s", moment, said)
			}
			t.Logf("killed with %d processes, %d namespaces, %d cgroups", len(footprint.processes), len(footprint.namespaces), len(footprint.cgroups))
			footprint.awaitNothing(t)
			if after := lookAtMachine(t, dir); fmt.Sprint(after) != fmt.Sprint(before) {
				t.Errorf("the machine was  %+v\nand has become %+v", before, after)
			}
		})
	}
}

// await reads until a line has the word in it, and returns all that was read.
func await(output io.Reader, word string) string {
	var said strings.Builder
	scanner := bufio.NewScanner(output)
	for scanner.Scan() {
		said.WriteString(scanner.Text() + "\n")
		if strings.Contains(scanner.Text(), word) {
			break
		}
	}
	return said.String()
}
