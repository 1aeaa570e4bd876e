package network

import (
	"fmt"
	"net/netip"
)

// DomainName is the domain of the cluster's Services.
const DomainName = "cluster.local"

// Corefile is the configuration of a CoreDNS that runs in the hub: it answers
// for the Services on the hub's address, and says on its port 8181, by /ready,
// when it can. The user in the kubeconfig must be allowed to list and watch
// Services, namespaces and EndpointSlices.
func Corefile(hub netip.Addr, kubeconfig string) string {
	return fmt.Sprintf(`.:53 {
    bind %[1]s
    errors
    ready %[1]s:8181
    kubernetes %[2]s in-addr.arpa {
        kubeconfig %[3]s
        ttl 5
    }
}
`, hub, DomainName, kubeconfig)
}
