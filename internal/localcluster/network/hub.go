// Package network makes the network of a cluster with real nodes: a namespace
// that is the hub, with a bridge in it, and a cable from the bridge to the
// namespace of every node.
//
// The namespaces have no names. They live as long as a process or an open file
// holds them, so that nothing is left behind however this process ends.
package network

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"sync"
	"syscall"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"muster.sh/muster/internal/localcluster/network/osthread"
)

const bridgeName = "muster0"

// Hub is the network namespace in which the control plane and DNS run, and
// through which the nodes see each other.
type Hub struct {
	starter *osthread.Thread // starts processes in the namespace
	dialer  *osthread.Thread // dials in it, so that a slow dial holds up no start
	file    *os.File
	links   *netlink.Handle // configures the namespace
	bridge  int             // index of the bridge

	mu         sync.Mutex
	closed     bool
	forwarders []*forwarder
	attached   map[string]attachment
}

// NewHub makes a network namespace with a bridge that has HubIP. It needs root.
func NewHub(ctx context.Context) (*Hub, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	h := &Hub{attached: map[string]attachment{}}
	starter, err := osthread.New(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("unshare: %w", err)
		}
		var err error
		if h.file, err = os.Open("/proc/thread-self/ns/net"); err != nil {
			return err
		}
		h.links, err = netlink.NewHandle(unix.NETLINK_ROUTE)
		return err
	})
	if err != nil {
		h.release()
		return nil, fmt.Errorf("make a network namespace: %w", err)
	}
	h.starter = starter
	h.dialer, err = osthread.New(func() error { return unix.Setns(int(h.file.Fd()), unix.CLONE_NEWNET) })
	if err == nil {
		err = h.configure()
	}
	if err != nil {
		return nil, fmt.Errorf("make the cluster's network: %w", errors.Join(err, h.Close()))
	}
	return h, nil
}

// configure brings up loopback and the bridge, and lets packets pass.
func (h *Hub) configure() error {
	if err := h.starter.Do(forwardPackets); err != nil {
		return err
	}
	if err := setUp(h.links, "lo"); err != nil {
		return err
	}
	attributes := netlink.NewLinkAttrs()
	attributes.Name = bridgeName
	// A bridge without an address of its own takes the lowest of its ports',
	// and its neighbours' caches are wrong whenever that changes.
	attributes.HardwareAddr = []byte{0x02, 0x6d, 0x75, 0x73, 0x74, 0x01}
	if err := h.links.LinkAdd(&netlink.Bridge{LinkAttrs: attributes}); err != nil {
		return fmt.Errorf("add the bridge: %w", err)
	}
	bridge, err := h.links.LinkByName(bridgeName)
	if err != nil {
		return fmt.Errorf("find the bridge: %w", err)
	}
	h.bridge = bridge.Attrs().Index
	if err := h.links.AddrAdd(bridge, address(netip.PrefixFrom(HubIP(), Subnet.Bits()))); err != nil {
		return fmt.Errorf("give the bridge its address: %w", err)
	}
	if err := h.links.LinkSetUp(bridge); err != nil {
		return fmt.Errorf("bring the bridge up: %w", err)
	}
	return nil
}

// forwardPackets sets the namespace of the calling thread to route. Redirects
// stay off: nodes shall keep sending to the hub what is for another node's pods.
func forwardPackets() error {
	for file, value := range map[string]string{
		"/proc/sys/net/ipv4/ip_forward":                  "1",
		"/proc/sys/net/ipv4/conf/all/send_redirects":     "0",
		"/proc/sys/net/ipv4/conf/default/send_redirects": "0",
	} {
		if err := os.WriteFile(file, []byte(value), 0o644); err != nil {
			return fmt.Errorf("let packets pass: %w", err)
		}
	}
	return nil
}

// IP is the hub's address on the cluster's network.
func (h *Hub) IP() netip.Addr { return HubIP() }

// Start starts the command in the hub's namespace. The process dies when this
// one does, and is in a process group of its own, out of the terminal's reach.
func (h *Hub) Start(cmd *exec.Cmd) error {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	cmd.SysProcAttr.Setpgid = true
	return h.starter.Do(cmd.Start)
}

// Close ends the forwarders and lets the namespace go. Processes started in it
// that still run are killed. Closing twice is no error.
func (h *Hub) Close() error {
	h.mu.Lock()
	forwarders, closed := h.forwarders, h.closed
	h.forwarders, h.closed = nil, true
	h.mu.Unlock()
	if closed {
		return nil
	}
	var errs []error
	for _, f := range forwarders {
		errs = append(errs, f.Close())
	}
	h.release()
	return errors.Join(errs...)
}

func (h *Hub) release() {
	for _, t := range []*osthread.Thread{h.starter, h.dialer} {
		if t != nil {
			t.End()
		}
	}
	if h.links != nil {
		h.links.Close()
	}
	if h.file != nil {
		_ = h.file.Close() // a namespace's file has nothing to flush
	}
}
