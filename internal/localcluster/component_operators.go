package localcluster

import (
	"cmp"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"time"
)

// OperatorsComponent is the name of muster-operators as a component, its command in
// muster-local, and whom the API server takes it for.
const OperatorsComponent = "muster-operators"

// simulatedDrivers is the configuration where nodes are simulated: the addresses of their
// pods may be those of other machines, which are none to ask.
const simulatedDrivers = `apiVersion: config.muster.sh/v1alpha1
kind: OperatorsConfiguration
spark: {progress: {interval: 0s}}
`

// operators is the process of muster-operators. There is one, so that it need not wait
// for a lease.
func (b *blueprint) operators(spec *OperatorsSpec) (component, error) {
	health := net.JoinHostPort(b.net.bind, strconv.Itoa(b.ports[portOperatorsHealth]))
	c := component{
		name: OperatorsComponent, binary: cmp.Or(spec.Binary, b.binary), grace: 15 * time.Second,
		args: []string{
			"--kubeconfig=" + b.paths.kubeconfig(OperatorsComponent),
			"--leader-elect=false",
			"--bind-address=" + b.net.bind,
			fmt.Sprintf("--secure-port=%d", b.ports[OperatorsComponent]),
			fmt.Sprintf("--health-port=%d", b.ports[portOperatorsHealth]),
			"--tls-cert-file=" + b.ca.CertFile("server"),
			"--tls-private-key-file=" + b.ca.KeyFile("server"),
		},
		ready: b.probe("http://"+health+"/readyz", &http.Transport{}),
	}
	if spec.Binary == "" {
		c.args = slices.Insert(c.args, 0, OperatorsComponent)
	}
	config := spec.Config
	if config == "" && b.spec.simulates() {
		config = simulatedDrivers
	}
	if config == "" {
		return c, nil
	}
	file := b.paths.configFile(OperatorsComponent)
	c.args = append(c.args, "--config="+file)
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		return c, fmt.Errorf("write configuration of %s: %w", OperatorsComponent, err)
	}
	return c, nil
}
