package localcluster

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"sigs.k8s.io/yaml"
)

// kubeSchedulerGroup is the API group of kube-scheduler's own configuration.
const kubeSchedulerGroup = "kubescheduler.config.k8s.io/"

// scheduler returns the processes of one scheduler.
func (b *blueprint) scheduler(spec SchedulerSpec) ([]component, error) {
	reach, err := b.schedulerConnection(spec)
	if err != nil {
		return nil, err
	}
	binary, command := b.binary, []string{spec.program()}
	if spec.program() == defaultProgram {
		binary, command = b.kubernetes(defaultProgram)
	}
	if spec.Binary != "" {
		binary, command = spec.Binary, nil
		if spec.Program != "" {
			command = []string{spec.Program}
		}
	}
	var components []component
	for _, name := range spec.replicas() {
		args := slices.Concat(command, reach, []string{
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
			ready:  b.serves(name, "/readyz"),
			grace:  15 * time.Second,
		})
	}
	return components, nil
}

// schedulerConnection returns the flags that say how to reach the API server.
// kube-scheduler takes them only from its configuration, if it has one; its
// client is not throttled, since what a scheduler can do must not be hidden by
// a limit meant for shared clusters.
func (b *blueprint) schedulerConnection(spec SchedulerSpec) ([]string, error) {
	kubeconfig := b.paths.kubeconfig(spec.Name)
	if spec.Config == "" {
		flags := []string{"--kubeconfig=" + kubeconfig}
		if spec.program() == defaultProgram {
			flags = append(flags, "--kube-api-qps=5000", "--kube-api-burst=5000")
		}
		return flags, nil
	}
	config := map[string]any{}
	if err := yaml.Unmarshal([]byte(spec.Config), &config); err != nil {
		return nil, fmt.Errorf("configuration of scheduler %s: %w", spec.Name, err)
	}
	path := b.paths.configFile(spec.Name)
	flags := []string{"--config=" + path}
	if version, _ := config["apiVersion"].(string); strings.HasPrefix(version, kubeSchedulerGroup) {
		completeConnection(config, kubeconfig)
	} else {
		flags = append(flags, "--kubeconfig="+kubeconfig)
	}
	data, err := yaml.Marshal(config)
	if err != nil {
		return nil, fmt.Errorf("encode configuration of scheduler %s: %w", spec.Name, err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		return nil, fmt.Errorf("write configuration of scheduler %s: %w", spec.Name, err)
	}
	return flags, nil
}

// completeConnection sets what a KubeSchedulerConfiguration leaves out.
func completeConnection(config map[string]any, kubeconfig string) {
	connection, _ := config["clientConnection"].(map[string]any)
	if connection == nil {
		connection = map[string]any{}
	}
	for key, value := range map[string]any{"kubeconfig": kubeconfig, "qps": 5000, "burst": 5000} {
		if _, given := connection[key]; !given {
			connection[key] = value
		}
	}
	config["clientConnection"] = connection
}
