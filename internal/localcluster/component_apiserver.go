package localcluster

import (
	"fmt"
	"time"
)

// serviceCIDR is the range of Service addresses; its first address is the API
// server's own Service.
const (
	serviceCIDR      = "10.96.0.0/16"
	apiServerService = "10.96.0.1"
)

func (b *blueprint) apiServerArgs() ([]string, error) {
	ca, etcd := b.ca, b.etcdCA
	args := []string{
		fmt.Sprintf("--etcd-servers=https://%s:%d", b.net.bind, b.ports[portEtcd]),
		"--etcd-cafile=" + etcd.CertFile("etcd-ca"),
		"--etcd-certfile=" + etcd.CertFile("etcd-client"),
		"--etcd-keyfile=" + etcd.KeyFile("etcd-client"),
		"--bind-address=" + b.net.bind,
		"--advertise-address=" + b.net.bind,
		fmt.Sprintf("--secure-port=%d", b.ports[portAPIServer]),
		"--tls-cert-file=" + ca.CertFile("server"),
		"--tls-private-key-file=" + ca.KeyFile("server"),
		"--client-ca-file=" + ca.CertFile("ca"),
		"--kubelet-client-certificate=" + ca.CertFile("kubelet-client"),
		"--kubelet-client-key=" + ca.KeyFile("kubelet-client"),
		"--kubelet-preferred-address-types=InternalIP",
		"--allow-privileged=true",
		"--authorization-mode=Node,RBAC",
		"--enable-admission-plugins=NodeRestriction",
		"--service-account-key-file=" + ca.PublicKeyFile("service-account"),
		"--service-account-signing-key-file=" + ca.KeyFile("service-account"),
		"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
		"--service-cluster-ip-range=" + serviceCIDR,
		"--requestheader-client-ca-file=" + ca.CertFile("ca"),
		"--requestheader-allowed-names=front-proxy",
		"--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--requestheader-group-headers=X-Remote-Group",
		"--requestheader-username-headers=X-Remote-User",
		"--proxy-client-cert-file=" + ca.CertFile("front-proxy"),
		"--proxy-client-key-file=" + ca.KeyFile("front-proxy"),
		// One machine's load test must not be told to come back later.
		"--max-requests-inflight=3000",
		"--max-mutating-requests-inflight=1000",
	}
	if !b.net.routable {
		// No pod can reach a loopback address, so the Service gets no endpoint.
		args = append(args, "--endpoint-reconciler-type=none")
	}
	if b.spec.Nodes == 0 {
		// It taints every new node until the controller manager finds it ready.
		// Simulated nodes are made ready, so that would be a write for nothing,
		// and minutes for thousands of them.
		args = append(args, "--disable-admission-plugins=TaintNodesByCondition")
	}
	if gates := b.spec.gates(); gates != "" {
		args = append(args, "--feature-gates="+gates)
	}
	if len(b.spec.RuntimeConfig) > 0 {
		args = append(args, "--runtime-config="+joinPairs(b.spec.RuntimeConfig))
	}
	if b.spec.AuditLog {
		audit, err := auditArgs(b.paths)
		if err != nil {
			return nil, fmt.Errorf("write audit policy: %w", err)
		}
		args = append(args, audit...)
	}
	return args, nil
}

func (b *blueprint) apiServer(args []string) component {
	file, words := b.kubernetes("kube-apiserver")
	return component{
		name:   "kube-apiserver",
		binary: file,
		args:   append(words, args...),
		ready:  b.apiServerReady(),
		grace:  30 * time.Second,
	}
}
