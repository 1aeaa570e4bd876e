// Package inside is what runs in a local node's own namespaces: its first
// process, which builds the node's root folder, starts the daemons and keeps
// them running, and the small programs around it.
//
// A node is born in three steps, each a process image of its own, since
// namespaces belong to threads and a Go program has many:
//
//	setup    in new namespaces: mounts the node's root and moves into it
//	run      in that root, as process 1: starts containerd, kubelet, kube-proxy
//	kubelet  in one more mount namespace, with the kubelet's view of the machine
//
// On a machine of its own a node begins with another first step, and goes on with
// run:
//
//	boot     as the kernel's first process: mounts, kernel modules, network
package inside

import (
	"encoding/json"
	"fmt"
	"os"

	"muster.sh/muster/internal/localcluster/node/cgroup"
)

// Where things lie in a node's root.
const (
	ConfigDir  = "/etc/muster"
	SpecFile   = ConfigDir + "/node.json"
	Binary     = "/opt/muster/muster-local"
	ToolsDir   = "/opt/muster/tools"
	LogDir     = "/var/log"
	StateDir   = "/var/lib"
	Containerd = "/run/containerd/containerd.sock"
)

// Command is the sub-command of muster-local that Main serves.
const Command = "node-init"

// Steps that Main knows; see the package's documentation. The janitor is not in
// a node's namespaces: it waits for the end of the process that owns the node.
const (
	StepSetup   = "setup"
	StepBoot    = "boot"
	StepRun     = "run"
	StepKubelet = "kubelet"
	StepJanitor = "janitor"
)

// statusFile is the open file on which the first process says that the node
// runs, or why not. Its standard input is its lifeline: the first byte says
// "go", the end that the node must end.
const statusFile = 3

// Ready is what the first process says when all daemons run; any other line is
// an error.
const Ready = "ready"

// Spec is all that the first process is told.
type Spec struct {
	Name string `json:"name"`
	// Root is a folder of the host where the node's root is assembled. Nothing
	// is written to it: a file system in memory is mounted there first.
	Root string `json:"root"`
	// Binds are folders and files of the host that the node sees.
	Binds []Bind `json:"binds"`
	// Cgroups says how the node's control groups are mounted.
	Cgroups cgroup.Host `json:"cgroups"`
	// Images are archives, as paths in the node, imported before the kubelet
	// starts.
	Images []string `json:"images"`
	// Tools are the folders of programs below ToolsDir.
	Tools []string `json:"tools"`
	// Kubelet and KubeProxy are the daemons' arguments; a node without the latter
	// has no Services.
	Kubelet   []string `json:"kubelet"`
	KubeProxy []string `json:"kubeProxy"`
	// View is the machine as the kubelet shall see it.
	View View `json:"view"`
	// Machine is set on a node that has a machine of its own.
	Machine *Machine `json:"machine,omitempty"`
}

// Bind is something of the host that is visible in the node.
type Bind struct {
	Source   string `json:"source"`
	Target   string `json:"target"`
	ReadOnly bool   `json:"readOnly,omitempty"`
}

// Encode returns the content of the node's SpecFile.
func (s *Spec) Encode() ([]byte, error) {
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode the node's spec: %w", err)
	}
	return data, nil
}

func readSpec(file string) (*Spec, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the node's spec: %w", err)
	}
	s := &Spec{}
	if err := json.Unmarshal(data, s); err != nil {
		return nil, fmt.Errorf("read the node's spec: %w", err)
	}
	return s, nil
}
