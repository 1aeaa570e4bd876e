package localcluster

import (
	"fmt"
	"net"
	"strconv"

	"muster.sh/muster/internal/localcluster/guest"
	"muster.sh/muster/internal/localcluster/pki"
	"muster.sh/muster/internal/localcluster/toolchain"
)

// Names under which ports are kept; a scheduler's is its component's name.
const (
	portAPIServer         = "kube-apiserver"
	portEtcd              = "etcd"
	portEtcdPeer          = "etcd-peer"
	portControllerManager = "kube-controller-manager"
	portOperatorsHealth   = OperatorsComponent + "/health"
)

// proxyUser names the kubeconfig that the real nodes' kube-proxies share.
const proxyUser = "kube-proxy"

// blueprint is everything that the components' values are made from.
type blueprint struct {
	spec   Spec
	tools  toolchain.Paths // programs that are not in binary
	paths  layout
	net    addresses
	ports  map[string]int
	ca     *pki.Authority
	etcdCA *pki.Authority
	binary string
}

// addresses says where the control plane listens and how it is reached.
type addresses struct {
	// bind is the one address that servers listen on and components dial.
	bind string
	// routable tells that pods can reach bind.
	routable bool
	// dial opens a connection to bind from this process; nil: as usual.
	dial func(address string) (net.Conn, error)
	// outside is the API server's host:port for programs outside the cluster;
	// empty means that they dial bind as well.
	outside string
}

// lay lays the cluster's folder out: ports, certificates, kubeconfigs.
func (b *blueprint) lay() error {
	if err := reservePorts(b.ports, b.portNames()...); err != nil {
		return err
	}
	if err := b.issueCertificates(); err != nil {
		return err
	}
	return b.writeKubeconfigs()
}

func (b *blueprint) portNames() []string {
	names := []string{portAPIServer, portEtcd, portEtcdPeer, portControllerManager}
	for _, scheduler := range b.spec.Schedulers {
		names = append(names, scheduler.replicas()...)
	}
	if b.spec.Operators != nil {
		names = append(names, OperatorsComponent, portOperatorsHealth)
	}
	for _, program := range b.spec.Programs {
		for _, port := range program.Ports {
			names = append(names, program.port(port))
		}
	}
	return names
}

// url is an address inside the cluster's own network.
func (b *blueprint) url(port, path string) string {
	return "https://" + net.JoinHostPort(b.net.bind, strconv.Itoa(b.ports[port])) + path
}

// outsideURL is where programs outside the cluster find the API server.
func (b *blueprint) outsideURL() string {
	if b.net.outside == "" {
		return b.url(portAPIServer, "")
	}
	return "https://" + b.net.outside
}

// identities are the users with a certificate and a kubeconfig of their own.
func (b *blueprint) identities() map[string]pki.Certificate {
	users := map[string]pki.Certificate{
		"admin":                   {User: "admin", Groups: []string{"system:masters"}},
		"kwok":                    {User: "kwok", Groups: []string{"system:masters"}},
		"kube-controller-manager": {User: "system:kube-controller-manager"},
	}
	if b.spec.Nodes > 0 {
		users[proxyUser] = pki.Certificate{User: "system:kube-proxy"}
		users[corednsUser] = pki.Certificate{User: corednsUser}
	}
	for _, scheduler := range b.spec.Schedulers {
		user := scheduler.User
		if user == "" {
			user = "system:kube-scheduler"
		}
		users[scheduler.Name] = pki.Certificate{User: user}
	}
	if b.spec.Operators != nil {
		users[OperatorsComponent] = pki.Certificate{User: OperatorsComponent}
	}
	for _, program := range b.spec.Programs {
		users[program.Name] = pki.Certificate{User: program.User}
	}
	return users
}

func (b *blueprint) issueCertificates() error {
	var err error
	if b.ca, err = pki.Open(b.paths.pki(), "ca"); err != nil {
		return err
	}
	if b.etcdCA, err = pki.Open(b.paths.pki(), "etcd-ca"); err != nil {
		return err
	}
	hosts := []string{loopback, "localhost", apiServerService,
		"kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local",
		guest.HostIP.String()}
	if b.net.bind != loopback {
		hosts = append(hosts, b.net.bind)
	}
	certificates := []pki.Certificate{
		{File: "server", User: "kube-apiserver", Hosts: hosts},
		{File: "kubelet-client", User: "kube-apiserver-kubelet-client", Groups: []string{"system:masters"}},
		{File: "front-proxy", User: "front-proxy"},
	}
	for name, certificate := range b.identities() {
		certificate.File = name
		certificates = append(certificates, certificate)
	}
	for _, certificate := range certificates {
		if err := b.ca.Ensure(certificate); err != nil {
			return err
		}
	}
	for _, certificate := range []pki.Certificate{
		{File: "etcd-server", User: "etcd", Hosts: []string{b.net.bind}},
		{File: "etcd-client", User: "kube-apiserver"},
	} {
		if err := b.etcdCA.Ensure(certificate); err != nil {
			return err
		}
	}
	return b.ca.EnsureKeyPair("service-account")
}

func (b *blueprint) writeKubeconfigs() error {
	for name := range b.identities() {
		server := b.url(portAPIServer, "")
		if name == "admin" {
			server = b.outsideURL()
		}
		if err := writeKubeconfig(b.paths.kubeconfig(name), server, b.ca, name); err != nil {
			return fmt.Errorf("kubeconfig of %s: %w", name, err)
		}
	}
	return nil
}

// components returns what to run before the manifests are applied, and what
// after; each list is in the order of starting.
func (b *blueprint) components() (base, rest []component, err error) {
	base, err = b.controlPlane()
	if err != nil {
		return nil, nil, err
	}
	if b.spec.Nodes > 0 {
		dns, err := b.coredns()
		if err != nil {
			return nil, nil, err
		}
		rest = append(rest, dns)
	}
	if b.spec.simulates() {
		rest = append(rest, b.kwok())
	}
	for _, scheduler := range b.spec.Schedulers {
		processes, err := b.scheduler(scheduler)
		if err != nil {
			return nil, nil, err
		}
		rest = append(rest, processes...)
	}
	if b.spec.Operators != nil {
		operators, err := b.operators(b.spec.Operators)
		if err != nil {
			return nil, nil, err
		}
		rest = append(rest, operators)
	}
	for _, program := range b.spec.Programs {
		process, err := b.program(program)
		if err != nil {
			return nil, nil, err
		}
		rest = append(rest, process)
	}
	return base, rest, nil
}
