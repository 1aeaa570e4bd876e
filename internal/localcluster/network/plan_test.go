package network

import (
	"net/netip"
	"testing"
)

func TestPlanGivesEveryNodeItsOwnAddressesInsideTheCluster(t *testing.T) {
	seen := map[string]int{HubIP().String(): -1}
	var cidrs []netip.Prefix
	for i := range MaxNodes {
		ip, pods := NodeIP(i), PodCIDR(i)
		if !Subnet.Contains(ip) {
			t.Errorf("node %d: %s is outside of %s", i, ip, Subnet)
		}
		if other, taken := seen[ip.String()]; taken {
			t.Errorf("nodes %d and %d share %s", i, other, ip)
		}
		seen[ip.String()] = i
		if !Pods.Contains(pods.Addr()) || pods.Bits() <= Pods.Bits() {
			t.Errorf("node %d: %s is not a part of %s", i, pods, Pods)
		}
		for j, other := range cidrs {
			if pods.Overlaps(other) {
				t.Errorf("nodes %d and %d share %s", i, j, pods)
			}
		}
		cidrs = append(cidrs, pods)
	}
}

func TestPlanHasNoOverlappingNetworks(t *testing.T) {
	networks := []netip.Prefix{Subnet, Pods, Services}
	for i, a := range networks {
		for _, b := range networks[i+1:] {
			if a.Overlaps(b) {
				t.Errorf("%s overlaps %s", a, b)
			}
		}
	}
}

func TestPlanRefusesNodesItHasNoAddressesFor(t *testing.T) {
	for _, i := range []int{-1, MaxNodes} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("node %d was given an address", i)
				}
			}()
			NodeIP(i)
		}()
	}
}
