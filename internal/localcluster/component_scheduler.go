package localcluster

import (
	"fmt"
	"os"
	"slices"
	"time"

	"sigs.k8s.io/yaml"
)

// scheduler returns the processes of one scheduler.
func (b *blueprint) scheduler(spec SchedulerSpec) ([]component, error) {
	config, err := b.writeSchedulerConfig(spec)
	if err != nil {
		return nil, err
	}
	binary, program := b.binary, spec.Program
	if program == "" {
		program = "kube-scheduler"
	}
	command := []string{program}
	if spec.Binary != "" {
		binary, command = spec.Binary, nil
	}
	var components []component
	for _, name := range spec.replicas() {
		args := slices.Concat(command, []string{
			"--config=" + config,
			"--bind-address=" + b.net.bind,
			fmt.Sprintf("--secure-port=%d", b.ports[name]),
			"--tls-cert-file=" + b.ca.CertFile("server"),
			"--tls-private-key-file=" + b.ca.KeyFile("server"),
			"--authorization-always-allow-paths=/healthz,/readyz,/livez,/metrics,/metrics/resources",
			fmt.Sprintf("--leader-elect=%t", len(spec.replicas()) > 1),
			"--leader-elect-resource-name=" + spec.Name,
		})
		if gates := b.spec.gates(); gates != "" {
			args = append(args, "--feature-gates="+gates)
		}
		components = append(components, component{
			name:   name,
			binary: binary,
			args:   append(args, spec.Args...),
			ready:  servesHTTPS(b.url(name, "/readyz"), b.ca.CertFile("ca")),
			grace:  15 * time.Second,
		})
	}
	return components, nil
}

// writeSchedulerConfig completes the scheduler's configuration by how to reach
// the API server. Its client is not throttled: what a scheduler can do must
// not be hidden by a limit meant for shared clusters.
func (b *blueprint) writeSchedulerConfig(spec SchedulerSpec) (string, error) {
	config := map[string]any{}
	if err := yaml.Unmarshal([]byte(spec.Config), &config); err != nil {
		return "", fmt.Errorf("configuration of scheduler %s: %w", spec.Name, err)
	}
	setDefault(config, "apiVersion", "kubescheduler.config.k8s.io/v1")
	setDefault(config, "kind", "KubeSchedulerConfiguration")
	connection, _ := config["clientConnection"].(map[string]any)
	if connection == nil {
		connection = map[string]any{}
	}
	setDefault(connection, "kubeconfig", b.paths.kubeconfig(spec.Name))
	setDefault(connection, "qps", 5000)
	setDefault(connection, "burst", 5000)
	config["clientConnection"] = connection

	data, err := yaml.Marshal(config)
	if err != nil {
		return "", fmt.Errorf("encode configuration of scheduler %s: %w", spec.Name, err)
	}
	path := b.paths.configFile(spec.Name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		return "", fmt.Errorf("write configuration of scheduler %s: %w", spec.Name, err)
	}
	return path, nil
}

func setDefault(config map[string]any, key string, value any) {
	if _, given := config[key]; !given {
		config[key] = value
	}
}
