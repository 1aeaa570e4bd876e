package node

import (
	"fmt"

	"muster.sh/muster/internal/localcluster/node/cgroup"
	"muster.sh/muster/internal/localcluster/node/inside"
)

// Machine describes a machine that a node has to itself, such as a virtual one.
type Machine = inside.Machine

// Where things must lie on such a machine, and how its first process is started.
const (
	MachineBinary = inside.Binary   // muster-local
	MachineTools  = inside.ToolsDir // the folder of each of Tools, by its name
	MachineInit   = MachineBinary + " " + inside.Command + " " + inside.StepBoot
)

// Tools are what a node's programs are made of, beside muster-local.
func Tools() []string { return requiredTools }

// MachineFiles are what a node reads on such a machine, by their paths there.
func (c Config) MachineFiles(m Machine) (map[string][]byte, error) {
	files, err := c.machineFiles(m)
	if err != nil {
		return nil, fmt.Errorf("node %s: %w", c.Name, err)
	}
	found := map[string][]byte{}
	for name, content := range files {
		found[inConfig(name)] = content
	}
	return found, nil
}

func (c *Config) machineFiles(m Machine) (map[string][]byte, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	host := cgroup.Host{Mode: cgroup.V2} // all of them are the node's
	files, err := c.configuration(host.Mode.EnforcesLimits())
	if err != nil {
		return nil, err
	}
	spec := c.spec(host)
	spec.Root, spec.Binds, spec.Machine = "", nil, &m
	files[specFile], err = spec.Encode()
	return files, err
}
