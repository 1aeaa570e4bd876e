package localcluster

import (
	"context"
	"errors"
	"fmt"
	"time"

	kubeletconfig "k8s.io/kubelet/config/v1beta1"

	"muster.sh/muster/internal/localcluster/guest"
	"muster.sh/muster/internal/localcluster/node"
	"muster.sh/muster/internal/localcluster/toolchain"
)

// GuestSpec describes a node in a virtual machine.
type GuestSpec struct {
	// Name is the node's name.
	Name     string
	Hardware guest.Hardware
	// Kubelet changes the kubelet's configuration, if it is not nil.
	Kubelet func(*kubeletconfig.KubeletConfiguration)
	// Programs are files of this machine, by their names in guest.ProgramsDir of
	// the virtual one.
	Programs map[string]string
}

// guestReadyTimeout bounds a guest's start until its node is Ready. Emulated, that
// takes a minute on two cores that have nothing else to do.
const guestReadyTimeout = 10 * time.Minute

// MissingForGuests lists what keeps this machine from running nodes in virtual
// machines; none means that it can.
func MissingForGuests(ctx context.Context) []node.Requirement { return guest.Missing(ctx) }

// StartGuest starts a node in a virtual machine, and waits until it is ready. It ends
// with the cluster, which must have no real nodes: their control plane listens where
// no guest reaches it.
func (c *Cluster) StartGuest(ctx context.Context, spec GuestSpec) error {
	if c.spec.Nodes > 0 {
		return errors.New("guests and real nodes can't be in one cluster")
	}
	return c.steps.run(ctx, spec.Name, func(ctx context.Context) error {
		started := time.Now()
		running, err := c.bootGuest(ctx, spec)
		if err != nil {
			return err
		}
		c.guests = append(c.guests, running)
		ctx, cancel := context.WithTimeout(ctx, guestReadyTimeout)
		defer cancel()
		return c.awaitNodeReady(whileRunning(ctx, running), spec.Name, running.LogDir(), started)
	})
}

// whileRunning returns a context that also ends with the guest.
func whileRunning(ctx context.Context, g *guest.Guest) context.Context {
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		select {
		case <-g.Ended():
			cancel(errors.New("its machine has ended"))
		case <-ctx.Done():
			cancel(nil)
		}
	}()
	return ctx
}

func (c *Cluster) bootGuest(ctx context.Context, spec GuestSpec) (*guest.Guest, error) {
	tools, err := toolchain.Build(ctx, nil, node.Tools()...)
	if err != nil {
		return nil, err
	}
	server := fmt.Sprintf("https://%s:%d", guest.HostIP, c.state.Ports[portAPIServer])
	kubeconfig, err := c.issueNodeKubeconfig(spec.Name, server)
	if err != nil {
		return nil, err
	}
	return guest.Start(guest.Config{
		Node: node.Config{
			Name:         spec.Name,
			Dir:          c.paths.nodeDir(spec.Name),
			Binary:       c.plan.binary,
			Tools:        tools,
			Kubeconfig:   kubeconfig,
			ClientCA:     c.plan.ca.CertFile("ca"),
			Kubelet:      spec.Kubelet,
			FeatureGates: c.spec.FeatureGates,
		},
		Hardware: spec.Hardware,
		Programs: spec.Programs,
	})
}

// GuestLogs are the files of the guests' logs.
func (c *Cluster) GuestLogs() []string {
	var files []string
	for _, g := range c.guests {
		files = append(files, g.Logs()...)
	}
	return files
}

func (c *Cluster) stopGuests() error {
	var errs []error
	for _, g := range c.guests {
		errs = append(errs, g.Stop())
	}
	return errors.Join(errs...)
}
