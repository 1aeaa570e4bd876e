// Package node runs real Kubernetes nodes on this machine: kubelet, containerd,
// runc and kube-proxy, each node in network, mount, process, host name, IPC and
// control group namespaces of its own, with a root folder and an address of its
// own. It needs root on Linux; Missing tells what else a machine lacks.
//
// Nothing of the machine's is changed, and whatever way a node ends, by Stop or
// by the kill of the process that started it, nothing of it is left but the
// files in its folder.
package node

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync/atomic"

	"muster.sh/muster/internal/localcluster/network"
	"muster.sh/muster/internal/localcluster/node/cgroup"
	"muster.sh/muster/internal/localcluster/node/inside"
)

// InitMain is the command of muster-local, by the name InitCommand, that runs
// within a node. It returns the exit code.
func InitMain(args []string) int { return inside.Main(args) }

// InitCommand is the sub-command under which muster-local must serve InitMain.
const InitCommand = inside.Command

// Node is a running node.
type Node struct {
	config   Config
	files    layout
	hub      *network.Hub
	process  *exec.Cmd
	lifeline *os.File // its closing ends the node
	janitor  *janitor
	ended    chan struct{}
}

// Start starts a node and returns when its daemons run; the kubelet then
// registers it with the API server. The node lives until Stop, or until this
// process ends.
func Start(ctx context.Context, hub *network.Hub, config Config) (*Node, error) {
	if err := config.validate(); err != nil {
		return nil, fmt.Errorf("node %s: %w", config.Name, err)
	}
	n := &Node{config: config, files: layout(config.Dir), hub: hub, ended: make(chan struct{})}
	if err := n.start(ctx); err != nil {
		return nil, fmt.Errorf("start node %s: %w", config.Name, err)
	}
	return n, nil
}

func (n *Node) start(ctx context.Context) error {
	host, err := cgroup.Detect(n.config.Cgroups)
	if err != nil {
		return err
	}
	if err := n.prepare(host); err != nil {
		return err
	}
	group, err := newGroup(ctx, host, n.config)
	if err != nil {
		return err
	}
	if n.janitor, err = hireJanitor(n.config.Binary, n.files.log("janitor"), group); err != nil {
		return errors.Join(err, group.Remove(ctx))
	}
	status, err := n.spawn()
	if err != nil {
		return errors.Join(err, n.janitor.dismiss())
	}
	defer func() { _ = status.Close() }()
	if err := n.release(ctx, group, status); err != nil {
		return errors.Join(err, n.Stop())
	}
	return nil
}

// groups counts the control groups that this process has made.
var groups atomic.Int64

// newGroup makes the node's control group, and removes those that earlier
// processes, killed together with their janitors, have left.
func newGroup(ctx context.Context, host cgroup.Host, c Config) (*cgroup.Group, error) {
	if err := cgroup.Sweep(); err != nil {
		return nil, fmt.Errorf("remove old cgroups: %w", err)
	}
	// One process may have several nodes of the same name, in several clusters.
	unique, err := cgroup.Name(os.Getpid(), fmt.Sprintf("%s-%d", c.Name, groups.Add(1)))
	if err != nil {
		return nil, err
	}
	group, err := host.Create(unique)
	if err != nil {
		return nil, err
	}
	// A busy machine must not starve a node, which would look broken from within:
	// without more weight it is one process among all others.
	cpus := runtime.NumCPU()
	if c.CPUs > 0 {
		cpus = min(cpus, c.CPUs)
	}
	if err := group.Weigh(cpus); err != nil {
		return nil, errors.Join(err, group.Remove(ctx))
	}
	return group, nil
}

// prepare writes all that the node's processes read.
func (n *Node) prepare(host cgroup.Host) error {
	if err := n.files.create(); err != nil {
		return err
	}
	files, err := n.config.configuration(host.Mode.EnforcesLimits())
	if err != nil {
		return err
	}
	if files[specFile], err = n.config.spec(host).Encode(); err != nil {
		return err
	}
	for name, content := range files {
		if err := os.WriteFile(n.files.file(name), content, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// Name is the node's name.
func (n *Node) Name() string { return n.config.Name }

// LogDir is the folder of the logs: containerd.log, kubelet.log, kube-proxy.log,
// and init.log of the node's first process.
func (n *Node) LogDir() string { return n.files.logs() }

// Ended is closed when the node is gone, by Stop or by itself.
func (n *Node) Ended() <-chan struct{} { return n.ended }

// Stop ends the node at once, as switching a machine off does, and returns when
// nothing of it is left but its folder. Stopping twice is no error.
func (n *Node) Stop() error {
	_ = n.lifeline.Close()       // closed already by an earlier Stop
	_ = n.process.Process.Kill() // gone already, if it ended by itself
	<-n.ended
	return errors.Join(n.hub.Detach(n.config.Name), n.janitor.dismiss())
}
