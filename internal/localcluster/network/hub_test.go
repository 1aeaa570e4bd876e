package network

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"muster.sh/muster/internal/localcluster/network/osthread"
)

// The test binary is also the program that runs inside of a namespace.
const roleVariable = "MUSTER_NETWORK_TEST_ROLE"

func TestMain(m *testing.M) {
	if address, ok := strings.CutPrefix(os.Getenv(roleVariable), "echo "); ok {
		if err := echo(address); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// echo serves the address and says so by a line on standard output.
func echo(address string) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	fmt.Println("listening")
	for {
		conn, err := listener.Accept()
		if err != nil {
			return err
		}
		go func() {
			_, _ = io.Copy(conn, conn)
			_ = conn.Close()
		}()
	}
}

// startEcho runs the echo program by start, waits until it listens, and ends it
// with the test.
func startEcho(t *testing.T, start func(*exec.Cmd) error, address string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), roleVariable+"=echo "+address)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := start(cmd); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // a test may have killed it already
		_ = cmd.Wait()
	})
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatalf("echo program said %q: %v", line, err)
	}
	return cmd
}

func newHub(t *testing.T) *Hub {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root, to make network namespaces")
	}
	hub, err := NewHub(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := hub.Close(); err != nil {
			t.Error(err)
		}
	})
	return hub
}

func TestForwardReachesAServerInTheHubAndEndsWithIt(t *testing.T) {
	hub := newHub(t)
	inside := net.JoinHostPort(HubIP().String(), "7000")
	startEcho(t, hub.Start, inside)
	outside, err := hub.Forward(t.Context(), "127.0.0.1:0", inside)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", outside)
	if err != nil {
		t.Fatal(err)
	}
	message := strings.Repeat("gang ", 100_000)
	go func() {
		_, _ = io.WriteString(conn, message)
		_ = conn.(*net.TCPConn).CloseWrite()
	}()
	answer, err := io.ReadAll(conn)
	if err != nil || string(answer) != message {
		t.Fatalf("sent %d bytes, received %d: %v", len(message), len(answer), err)
	}
	if err := hub.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := net.Dial("tcp", outside); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("after Close the forwarder's port should refuse, but: %v", err)
	}
}

func TestForwardClosesAConnectionThatNobodyServes(t *testing.T) {
	hub := newHub(t)
	outside, err := hub.Forward(t.Context(), "127.0.0.1:0", net.JoinHostPort(HubIP().String(), "7001"))
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", outside)
	if err != nil {
		t.Fatal(err)
	}
	if answer, err := io.ReadAll(conn); len(answer) != 0 {
		t.Errorf("received %q, %v from a server that does not exist", answer, err)
	}
}

func TestForwardListensOnLoopbackOnly(t *testing.T) {
	hub := newHub(t)
	for _, listen := range []string{"0.0.0.0:0", ":0", "[::]:0"} {
		if got, err := hub.Forward(t.Context(), listen, "192.168.88.1:1"); err == nil {
			t.Errorf("listens on %s as %s", listen, got)
		}
	}
}

func TestAttachedNodesAreReachedFromTheHubUntilDetached(t *testing.T) {
	hub := newHub(t)
	nodes := make([]*exec.Cmd, 2)
	for i := range nodes {
		// A node's namespace is born with its process; any address will do to
		// find that it runs.
		isolated := func(cmd *exec.Cmd) error {
			cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
			return hub.Start(cmd)
		}
		nodes[i] = startEcho(t, isolated, "0.0.0.0:7002")
		name := fmt.Sprintf("node-%d", i)
		if err := hub.Attach(nodes[i].Process.Pid, name, NodeIP(i), PodCIDR(i)); err != nil {
			t.Fatal(err)
		}
	}
	for i := range nodes {
		conn, err := hub.Dial(net.JoinHostPort(NodeIP(i).String(), "7002"))
		if err != nil {
			t.Fatalf("dial node %d from the hub: %v", i, err)
		}
		_ = conn.Close()
	}
	routes, err := hub.links.RouteList(nil, netlink.FAMILY_V4)
	if err != nil {
		t.Fatal(err)
	}
	for i := range nodes {
		if !hasRoute(routes, PodCIDR(i).String(), NodeIP(i).String()) {
			t.Errorf("the hub has no route to the pods of node %d: %v", i, routes)
		}
	}
	if err := hub.Detach("node-0"); err != nil {
		t.Fatal(err)
	}
	if err := hub.Detach("node-0"); err != nil {
		t.Errorf("detaching twice: %v", err)
	}
	links, err := hub.links.LinkList()
	if err != nil {
		t.Fatal(err)
	}
	if len(links) != 3 {
		t.Errorf("after one of two nodes went, the hub should have lo, bridge and one port, has %v", links)
	}
}

func hasRoute(routes []netlink.Route, destination, gateway string) bool {
	for _, r := range routes {
		if r.Dst != nil && r.Dst.String() == destination && r.Gw.String() == gateway {
			return true
		}
	}
	return false
}

func TestClosingTheHubKillsWhatRunsInIt(t *testing.T) {
	hub := newHub(t)
	cmd := startEcho(t, hub.Start, net.JoinHostPort(HubIP().String(), "7003"))
	if err := hub.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
			t.Errorf("the process ended by %v, not by a kill", err)
		}
	case <-ctx.Done():
		t.Fatal("the process outlives its hub")
	}
	if err := hub.Start(exec.Command("true")); !errors.Is(err, osthread.ErrEnded) {
		t.Errorf("starting in a closed hub: %v", err)
	}
}
