package localcluster

import (
	"fmt"
	"os"
	"time"

	"sigs.k8s.io/yaml"
)

// writeEtcdConfig writes etcd's own configuration file, which serves both the
// embedded etcd and the separate process. Only holders of a certificate from
// etcd's own authority get in: whoever can write to etcd owns the cluster.
func (b *blueprint) writeEtcdConfig() (string, error) {
	client := fmt.Sprintf("https://%s:%d", b.net.bind, b.ports[portEtcd])
	peer := fmt.Sprintf("https://%s:%d", b.net.bind, b.ports[portEtcdPeer])
	security := map[string]any{
		"cert-file":        b.etcdCA.CertFile("etcd-server"),
		"key-file":         b.etcdCA.KeyFile("etcd-server"),
		"trusted-ca-file":  b.etcdCA.CertFile("etcd-ca"),
		"client-cert-auth": true,
	}
	config := map[string]any{
		"name":                        "local",
		"data-dir":                    b.paths.etcdData(),
		"listen-client-urls":          client,
		"advertise-client-urls":       client,
		"listen-peer-urls":            peer,
		"initial-advertise-peer-urls": peer,
		"initial-cluster":             "local=" + peer,
		"client-transport-security":   security,
		"peer-transport-security":     security,
		"log-level":                   "warn",
		"quota-backend-bytes":         int64(6) << 30,
		"auto-compaction-mode":        "periodic",
		"auto-compaction-retention":   "5m",
	}
	data, err := yaml.Marshal(config)
	if err != nil {
		return "", fmt.Errorf("encode etcd configuration: %w", err)
	}
	path := b.paths.configFile("etcd")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		return "", fmt.Errorf("write etcd configuration: %w", err)
	}
	return path, nil
}

func (b *blueprint) etcd(config string) component {
	return component{
		name:   "etcd",
		binary: b.binary,
		args:   []string{"etcd", "--config-file=" + config},
		grace:  20 * time.Second,
		// The API server waits for etcd by itself, and is not ready before it.
	}
}
