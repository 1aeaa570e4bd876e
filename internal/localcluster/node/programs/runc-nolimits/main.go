// Command runc-nolimits runs runc on a machine whose cgroup v2 hierarchy gives
// a node no controllers. There runc refuses every container that has CPU or
// memory settings, and the kubelet gives some to each. So they are taken out
// of the container's configuration before runc sees it.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
)

func main() {
	if err := run(os.Args); err != nil {
		fmt.Fprintln(os.Stderr, "runc-nolimits:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if slices.Contains(args, "update") {
		return nil // an update only changes limits
	}
	if slices.Contains(args, "create") {
		if bundle := option(args, "--bundle"); bundle != "" {
			if err := dropLimits(filepath.Join(bundle, "config.json")); err != nil {
				return err
			}
		}
	}
	runc, err := exec.LookPath("runc")
	if err != nil {
		return err
	}
	return syscall.Exec(runc, append([]string{"runc"}, args[1:]...), os.Environ())
}

// option returns the value that follows the named option.
func option(args []string, name string) string {
	i := slices.Index(args, name)
	if i < 0 || i+1 >= len(args) {
		return ""
	}
	return args[i+1]
}

// dropLimits removes all resources but the device rules, which need no controller.
func dropLimits(file string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("read the container's configuration: %w", err)
	}
	var spec map[string]json.RawMessage
	if err := json.Unmarshal(data, &spec); err != nil {
		return fmt.Errorf("parse %s: %w", file, err)
	}
	var linux map[string]json.RawMessage
	if err := json.Unmarshal(spec["linux"], &linux); err != nil {
		return fmt.Errorf("parse linux in %s: %w", file, err)
	}
	var resources struct {
		Devices json.RawMessage `json:"devices,omitempty"`
	}
	if raw, ok := linux["resources"]; ok {
		if err := json.Unmarshal(raw, &resources); err != nil {
			return fmt.Errorf("parse linux.resources in %s: %w", file, err)
		}
	}
	if linux["resources"], err = json.Marshal(resources); err != nil {
		return err
	}
	if spec["linux"], err = json.Marshal(linux); err != nil {
		return err
	}
	if data, err = json.Marshal(spec); err != nil {
		return err
	}
	return os.WriteFile(file, data, 0o600)
}
