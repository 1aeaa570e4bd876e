package network

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// attachment is one node's cable, as the hub sees it.
type attachment struct {
	link  string
	route *netlink.Route
}

// Attach lays a cable from the bridge to the network namespace of the process,
// where it is called eth0 and has the address, and routes the pod network there.
func (h *Hub) Attach(pid int, node string, ip netip.Addr, pods netip.Prefix) error {
	namespace, err := netns.GetFromPid(pid)
	if err != nil {
		return fmt.Errorf("open the network namespace of %s: %w", node, err)
	}
	defer func() { _ = namespace.Close() }()
	port := fmt.Sprintf("node%d", ip.As4()[3])
	cable := attachment{link: port, route: &netlink.Route{
		Dst: ipNet(pods), Gw: ip.AsSlice(), LinkIndex: h.bridge,
	}}
	if err := h.layCable(port, namespace); err != nil {
		return fmt.Errorf("attach %s to the bridge: %w", node, err)
	}
	if err := configureNode(namespace, ip); err != nil {
		return fmt.Errorf("configure the network of %s: %w", node, errors.Join(err, h.cut(cable)))
	}
	if err := h.links.RouteReplace(cable.route); err != nil {
		return fmt.Errorf("route the pods of %s: %w", node, errors.Join(err, h.cut(cable)))
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.attached[node] = cable
	return nil
}

// layCable makes a pair of ends, one on the bridge and one in the namespace.
func (h *Hub) layCable(port string, namespace netns.NsHandle) error {
	attributes := netlink.NewLinkAttrs()
	attributes.Name = port
	attributes.MasterIndex = h.bridge
	cable := &netlink.Veth{LinkAttrs: attributes, PeerName: "eth0", PeerNamespace: netlink.NsFd(namespace)}
	if err := h.links.LinkAdd(cable); err != nil {
		return fmt.Errorf("add a veth pair: %w", err)
	}
	return setUp(h.links, port)
}

// configureNode sets up the node's own namespace: its address, and the hub as
// the way to everything else.
func configureNode(namespace netns.NsHandle, ip netip.Addr) error {
	links, err := netlink.NewHandleAt(namespace, unix.NETLINK_ROUTE)
	if err != nil {
		return err
	}
	defer links.Close()
	for _, name := range []string{"lo", "eth0"} {
		if err := setUp(links, name); err != nil {
			return err
		}
	}
	eth0, err := links.LinkByName("eth0")
	if err != nil {
		return err
	}
	if err := links.AddrAdd(eth0, address(netip.PrefixFrom(ip, Subnet.Bits()))); err != nil {
		return fmt.Errorf("add address %s: %w", ip, err)
	}
	if err := links.RouteAdd(&netlink.Route{Gw: HubIP().AsSlice(), LinkIndex: eth0.Attrs().Index}); err != nil {
		return fmt.Errorf("add the default route: %w", err)
	}
	return nil
}

// Detach removes the node's cable and route, and does nothing if it has none.
func (h *Hub) Detach(node string) error {
	h.mu.Lock()
	cable, ok := h.attached[node]
	delete(h.attached, node)
	h.mu.Unlock()
	if !ok {
		return nil
	}
	if err := h.cut(cable); err != nil {
		return fmt.Errorf("detach %s: %w", node, err)
	}
	return nil
}

// cut removes what Attach made in the hub. The cable is gone by itself if the
// node's namespace went first.
func (h *Hub) cut(cable attachment) error {
	if err := h.links.RouteDel(cable.route); err != nil && !errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("remove route: %w", err)
	}
	link, err := h.links.LinkByName(cable.link)
	if errors.As(err, new(netlink.LinkNotFoundError)) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := h.links.LinkDel(link); err != nil && !errors.Is(err, unix.ENODEV) {
		return fmt.Errorf("remove %s: %w", cable.link, err)
	}
	return nil
}

func setUp(links *netlink.Handle, name string) error {
	link, err := links.LinkByName(name)
	if err != nil {
		return fmt.Errorf("find %s: %w", name, err)
	}
	if err := links.LinkSetUp(link); err != nil {
		return fmt.Errorf("bring %s up: %w", name, err)
	}
	return nil
}

func address(p netip.Prefix) *netlink.Addr {
	return &netlink.Addr{IPNet: &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}}
}

func ipNet(p netip.Prefix) *net.IPNet { return address(p).IPNet }
