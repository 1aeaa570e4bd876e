package inside

import (
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestTheReaperTellsEveryStarterHowItsChildEnded(t *testing.T) {
	r := newReaper()
	const children = 50
	ended := make([]<-chan unix.WaitStatus, children)
	for i := range children {
		cmd := exec.Command("sh", "-c", "exit $0", string(rune('0'+i%10)))
		var err error
		if ended[i], err = r.start(cmd); err != nil {
			t.Fatal(err)
		}
	}
	for i := range children {
		if status := <-ended[i]; status.ExitStatus() != i%10 {
			t.Errorf("child %d: %s", i, describe(status))
		}
	}
	if err := runOnce(r, "sh", "-c", "kill -9 $$"); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Errorf("a killed child: %v", err)
	}
	if err := runOnce(r, "/no/such/program"); err == nil {
		t.Error("a program that does not exist was run")
	}
	if err := runOnce(r, "true"); err != nil {
		t.Error(err)
	}
}

func socketPair(t *testing.T) (listener *net.UnixConn, say func(string)) {
	t.Helper()
	address := &net.UnixAddr{Name: filepath.Join(t.TempDir(), "notify"), Net: "unixgram"}
	listener, err := net.ListenUnixgram("unixgram", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return listener, func(message string) {
		conn, err := net.DialUnix("unixgram", nil, address)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		if _, err := conn.Write([]byte(message)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestADaemonIsReadyWhenItSaysSo(t *testing.T) {
	listener, say := socketPair(t)
	say("STATUS=starting")
	say("MAINPID=7\nREADY=1\n")
	if err := (daemon{name: "d"}).awaitReady(listener, nil); err != nil {
		t.Error(err)
	}
}

func TestADaemonThatEndsIsNotWaitedFor(t *testing.T) {
	listener, say := socketPair(t)
	say("STATUS=READY=1 comes later")
	ended := make(chan unix.WaitStatus, 1)
	ended <- unix.WaitStatus(3 << 8)
	err := daemon{name: "kubelet"}.awaitReady(listener, ended)
	if err == nil || !strings.Contains(err.Error(), "kubelet ended before it was ready: exit status 3") {
		t.Errorf("got %v", err)
	}
}

func TestUnknownStepsAreRefused(t *testing.T) {
	for _, args := range [][]string{{}, {"dance"}, {StepSetup}} {
		if code := Main(args); code == 0 {
			t.Errorf("%v is accepted", args)
		}
	}
}
