package localcluster

import (
	_ "embed"
	"fmt"
	"net/http"
	"os"
	"time"

	"muster.sh/muster/internal/localcluster/network"
	"muster.sh/muster/internal/localcluster/toolchain"
)

//go:embed coredns-rbac.yaml
var corednsRBAC []byte

const corednsUser = "coredns"

// coredns answers the names of Services for the pods on real nodes.
func (b *blueprint) coredns() (component, error) {
	file := b.paths.configFile("Corefile")
	content := network.Corefile(network.HubIP(), b.paths.kubeconfig(corednsUser))
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		return component{}, fmt.Errorf("write CoreDNS's configuration: %w", err)
	}
	return component{
		name:   "coredns",
		binary: b.tools.Program(toolchain.CoreDNS, "coredns"),
		args:   []string{"-conf", file},
		ready:  b.probe("http://"+b.net.bind+":8181/ready", &http.Transport{}),
		grace:  5 * time.Second,
	}, nil
}
