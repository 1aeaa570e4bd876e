package trial

import (
	"path/filepath"
	"slices"
	"strings"

	"muster.sh/muster/internal/localcluster"
)

// processes tells how all components of a cluster were started, so that others can
// judge whether a scheduler was set up as it should be.
func processes(c *localcluster.Cluster, own []string) ([]Process, error) {
	// What lies beside the cluster's folder is of the same run.
	anonymous := strings.NewReplacer(c.Dir(), "DIR", filepath.Dir(c.Dir()), "DIR")
	var all []Process
	for _, name := range c.Components() {
		command, err := c.Command(name)
		if err != nil {
			return nil, err
		}
		config, err := c.Config(name)
		if err != nil {
			return nil, err
		}
		command[0] = filepath.Base(command[0])
		for i := range command {
			command[i] = anonymous.Replace(command[i])
		}
		all = append(all, Process{Name: name, Own: slices.Contains(own, name), Command: command, Config: anonymous.Replace(config)})
	}
	return all, nil
}
