package localcluster

import (
	"fmt"
	"slices"
	"time"
)

func (b *blueprint) controllerManagerArgs() []string {
	args := []string{
		"--kubeconfig=" + b.paths.kubeconfig("kube-controller-manager"),
		"--bind-address=" + b.net.bind,
		fmt.Sprintf("--secure-port=%d", b.ports[portControllerManager]),
		"--tls-cert-file=" + b.ca.CertFile("server"),
		"--tls-private-key-file=" + b.ca.KeyFile("server"),
		"--authorization-always-allow-paths=/healthz,/readyz,/livez,/metrics",
		"--leader-elect=false",
		"--use-service-account-credentials=true",
		"--service-account-private-key-file=" + b.ca.KeyFile("service-account"),
		"--root-ca-file=" + b.ca.CertFile("ca"),
		"--cluster-signing-cert-file=" + b.ca.CertFile("ca"),
		"--cluster-signing-key-file=" + b.ca.KeyFile("ca"),
		// Nodes bring their pod ranges with them, and no kubelet is so far away
		// that it must be told how long to cache.
		"--controllers=*,-node-ipam-controller,-ttl-controller",
		"--kube-api-qps=1000",
		"--kube-api-burst=2000",
	}
	if b.spec.simulates() {
		// Simulated nodes send no heartbeats, which would only cost writes, so
		// none must be missed. Real nodes beside them are not noticed as lost.
		args = append(args, "--node-monitor-grace-period=87600h")
	}
	return args
}

func (b *blueprint) controllerManager() component {
	file, words := b.kubernetes("kube-controller-manager")
	args := slices.Concat(words, b.controllerManagerArgs())
	if gates := b.spec.gates(); gates != "" {
		args = append(args, "--feature-gates="+gates)
	}
	return component{
		name:   "kube-controller-manager",
		binary: file,
		args:   args,
		ready:  b.serves(portControllerManager, "/healthz"),
		grace:  15 * time.Second,
	}
}
