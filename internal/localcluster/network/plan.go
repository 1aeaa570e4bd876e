package network

import (
	"fmt"
	"net/netip"
)

// Addresses of a cluster with real nodes. They exist only in network
// namespaces of the cluster's own, so every cluster on a machine uses the same
// and none meets the machine's.
var (
	// Subnet is the network that the hub and the nodes share.
	Subnet = netip.MustParsePrefix("192.168.88.0/24")
	// Pods is the network that every node has a part of.
	Pods = netip.MustParsePrefix("10.244.0.0/16")
	// Services is the network of virtual service addresses.
	Services = netip.MustParsePrefix("10.96.0.0/16")
)

const (
	// MaxNodes is how many nodes the plan has addresses for.
	MaxNodes = 200

	hubNumber       = 1
	firstNodeNumber = 11
)

// HubIP is the address of the control plane and of DNS.
func HubIP() netip.Addr { return numbered(hubNumber) }

// NodeIP is the address of the i-th node, counted from zero.
func NodeIP(i int) netip.Addr {
	mustBeNode(i)
	return numbered(firstNodeNumber + i)
}

// PodCIDR is the i-th node's part of the pod network.
func PodCIDR(i int) netip.Prefix {
	mustBeNode(i)
	base := Pods.Addr().As4()
	base[2] = byte(i + 1)
	return netip.PrefixFrom(netip.AddrFrom4(base), 24)
}

func numbered(n int) netip.Addr {
	base := Subnet.Addr().As4()
	base[3] = byte(n)
	return netip.AddrFrom4(base)
}

func mustBeNode(i int) {
	if i < 0 || i >= MaxNodes {
		panic(fmt.Sprintf("node number %d is not from 0 to %d", i, MaxNodes-1))
	}
}
