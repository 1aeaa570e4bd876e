// Package configflags are the flags that Muster's binaries have alike, to set over their
// configuration files.
package configflags

import (
	"fmt"

	"github.com/spf13/pflag"

	config "muster.sh/muster/api/config/v1alpha1"
)

// Defaults are told in the help; the configuration has them.
type Defaults struct {
	// Lease is the name of the lease.
	Lease string
	// Port is the secure port, on which Serves is served.
	Port   int
	Serves string
}

// Flags are those of one command line.
type Flags struct {
	// File is the path of the configuration file, if one is named.
	File string

	leader   bool
	port     int32
	client   config.ClientConnection
	election config.LeaderElection
	serving  config.Serving
}

// Add defines the flags.
func (f *Flags) Add(fs *pflag.FlagSet, d Defaults) {
	fs.StringVar(&f.File, "config", "", "path of the configuration file; without one the defaults hold")
	fs.StringVar(&f.client.Kubeconfig, "kubeconfig", "", "path of a kubeconfig file; without one the pod's service account is used")
	fs.BoolVar(&f.leader, "leader-elect", true, "act only while holding the lease, so that several replicas may run")
	fs.StringVar(&f.election.ResourceName, "leader-elect-resource-name", "", fmt.Sprintf("name of the lease (default %s)", d.Lease))
	fs.StringVar(&f.election.ResourceNamespace, "leader-elect-resource-namespace", "", "namespace of the lease (default kube-system)")
	fs.StringVar(&f.serving.BindAddress, "bind-address", "", "IP address on which health and metrics are served (default 127.0.0.1)")
	fs.Int32Var(&f.port, "secure-port", 0, fmt.Sprintf("port on which %s are served over HTTPS; 0 serves nothing (default %d)", d.Serves, d.Port))
	fs.StringVar(&f.serving.CertFile, "tls-cert-file", "", "certificate of the secure port; without one it is made at every start")
	fs.StringVar(&f.serving.KeyFile, "tls-private-key-file", "", "key of that certificate")
}

// Set are the parts of a configuration that the flags set.
type Set struct {
	Client   *config.ClientConnection
	Election *config.LeaderElection
	Serving  *config.Serving
}

// Apply sets what was given on the command line over a configuration, by these flags and
// by those of the binary alone.
func (f *Flags) Apply(fs *pflag.FlagSet, over Set, alone map[string]func()) {
	shared := map[string]func(){
		"kubeconfig":                      func() { over.Client.Kubeconfig = f.client.Kubeconfig },
		"leader-elect":                    func() { over.Election.LeaderElect = &f.leader },
		"leader-elect-resource-name":      func() { over.Election.ResourceName = f.election.ResourceName },
		"leader-elect-resource-namespace": func() { over.Election.ResourceNamespace = f.election.ResourceNamespace },
		"bind-address":                    func() { over.Serving.BindAddress = f.serving.BindAddress },
		"secure-port":                     func() { over.Serving.Port = &f.port },
		"tls-cert-file":                   func() { over.Serving.CertFile = f.serving.CertFile },
		"tls-private-key-file":            func() { over.Serving.KeyFile = f.serving.KeyFile },
	}
	fs.Visit(func(flag *pflag.Flag) {
		for _, set := range []map[string]func(){shared, alone} {
			if apply := set[flag.Name]; apply != nil {
				apply()
			}
		}
	})
}
