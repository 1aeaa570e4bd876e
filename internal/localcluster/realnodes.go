package localcluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"

	"muster.sh/muster/internal/localcluster/network"
	"muster.sh/muster/internal/localcluster/node"
	"muster.sh/muster/internal/localcluster/pki"
	"muster.sh/muster/internal/localcluster/toolchain"
)

// nodeReadyTimeout bounds a real node's start until it is Ready.
const nodeReadyTimeout = 3 * time.Minute

// MissingForNodes lists what keeps this machine from running real nodes in a
// cluster whose folder is dir; none means that it can.
func MissingForNodes(ctx context.Context, dir string) []node.Requirement {
	return node.Missing(ctx, dir)
}

func nodeName(i int) string { return fmt.Sprintf("node-%d", i+1) }

// nodeDir is the folder with a real node's images, containers and logs.
func (l layout) nodeDir(name string) string { return filepath.Join(l.nodes(), name) }

// buildNetwork builds the real nodes' programs, and makes the network in which
// they and the control plane are.
func (c *Cluster) buildNetwork(ctx context.Context) (addresses, error) {
	if missing := node.Missing(ctx, c.paths.dir); len(missing) > 0 {
		var lines []string
		for _, requirement := range missing {
			lines = append(lines, requirement.String())
		}
		return addresses{}, fmt.Errorf("this machine cannot run real nodes: %s", strings.Join(lines, "; "))
	}
	capabilities, err := node.FindCapabilities(ctx)
	if err != nil {
		return addresses{}, err
	}
	for _, lack := range capabilities.Lacking {
		c.state.Notes = append(c.state.Notes, lack.String())
	}
	if err := c.buildTools(ctx, "programs of real nodes", toolchain.All()...); err != nil {
		return addresses{}, err
	}
	if c.hub, err = network.NewHub(ctx); err != nil {
		return addresses{}, err
	}
	if err := reservePorts(c.state.Ports, portAPIServer); err != nil {
		return addresses{}, err
	}
	// The same port inside and outside: one number to remember.
	port := strconv.Itoa(c.state.Ports[portAPIServer])
	inside := c.hub.IP().String()
	outside, err := c.hub.Forward(ctx, net.JoinHostPort(loopback, port), net.JoinHostPort(inside, port))
	if err != nil {
		return addresses{}, err
	}
	return addresses{bind: inside, routable: true, outside: outside, dial: c.hub.Dial}, nil
}

// startNodes starts the real nodes and waits until pods can run on them.
func (c *Cluster) startNodes(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	c.nodes = make([]*realNode, c.spec.Nodes)
	for i := range c.nodes {
		config, err := c.nodeConfig(i)
		if err != nil {
			return err
		}
		c.nodes[i] = &realNode{config: config}
		group.Go(func() error {
			return c.steps.run(ctx, config.Name, func(ctx context.Context) error { return c.startNode(ctx, c.nodes[i]) })
		})
	}
	return group.Wait()
}

// realNode is a place in the cluster and the node in it, nil while it is down.
type realNode struct {
	config  node.Config
	running *node.Node
}

func (c *Cluster) startNode(ctx context.Context, place *realNode) error {
	started := time.Now()
	running, err := node.Start(ctx, c.hub, place.config)
	if err != nil {
		return err
	}
	place.running = running
	ctx, cancel := context.WithTimeout(ctx, nodeReadyTimeout)
	defer cancel()
	return c.awaitNodeReady(ctx, place.config.Name, running.LogDir(), started)
}

// awaitNodeReady waits until the node has said, since it was started, that it
// is Ready, and has lost its taints. An object left by an earlier run of the
// node looks ready as well.
func (c *Cluster) awaitNodeReady(ctx context.Context, name, logs string, started time.Time) error {
	list := cache.NewListWatchFromClient(c.client.CoreV1().RESTClient(), "nodes", "", fields.OneTermEqualSelector("metadata.name", name))
	condition := "it has not registered"
	_, err := watchtools.UntilWithSync(ctx, list, &corev1.Node{}, nil, func(event watch.Event) (bool, error) {
		found, ok := event.Object.(*corev1.Node)
		if !ok {
			return false, nil
		}
		ready, why := readyCondition(found, started)
		condition = why
		return ready && len(found.Spec.Taints) == 0, nil
	})
	if err != nil {
		return fmt.Errorf("node %s is not ready: %w (%s; its logs are in %s)", name, errors.Join(context.Cause(ctx), err), condition, logs)
	}
	return nil
}

func readyCondition(n *corev1.Node, since time.Time) (ready bool, why string) {
	i := slices.IndexFunc(n.Status.Conditions, func(c corev1.NodeCondition) bool { return c.Type == corev1.NodeReady })
	if i < 0 {
		return false, "it has not told its condition"
	}
	condition := n.Status.Conditions[i]
	if condition.LastHeartbeatTime.Time.Before(since.Truncate(time.Second)) {
		return false, "it has not told its condition since it was started"
	}
	return condition.Status == corev1.ConditionTrue, condition.Message
}

// nodeConfig describes the i-th node.
func (c *Cluster) nodeConfig(i int) (node.Config, error) {
	name := nodeName(i)
	kubeconfig, err := c.issueNodeKubeconfig(name, c.plan.url(portAPIServer, ""))
	if err != nil {
		return node.Config{}, err
	}
	return node.Config{
		Name:            name,
		IP:              network.NodeIP(i),
		Pods:            network.PodCIDR(i),
		Dir:             c.paths.nodeDir(name),
		Binary:          c.plan.binary,
		Tools:           c.tools,
		Kubeconfig:      kubeconfig,
		ProxyKubeconfig: c.paths.kubeconfig(proxyUser),
		ClientCA:        c.plan.ca.CertFile("ca"),
		CPUs:            c.spec.NodeCPUs,
		MemoryBytes:     c.spec.NodeMemory.Value(),
		FeatureGates:    c.spec.FeatureGates,
		Shared:          c.spec.SharedFolders,
	}, nil
}

// issueNodeKubeconfig writes what a node knows the API server by, and shows it, and
// returns the file.
func (c *Cluster) issueNodeKubeconfig(name, server string) (string, error) {
	certificate := pki.Certificate{File: name, User: "system:node:" + name, Groups: []string{"system:nodes"}}
	if err := c.plan.ca.Ensure(certificate); err != nil {
		return "", err
	}
	kubeconfig := c.paths.kubeconfig(name)
	if err := writeKubeconfig(kubeconfig, server, c.plan.ca, name); err != nil {
		return "", fmt.Errorf("kubeconfig of %s: %w", name, err)
	}
	return kubeconfig, nil
}

// RealNodes are the names of the real nodes.
func (c *Cluster) RealNodes() []string {
	var names []string
	for _, place := range c.nodes {
		names = append(names, place.config.Name)
	}
	return names
}

// StopNode ends a real node at once, as switching a machine off does; StartNode
// brings it back with its images and containers.
func (c *Cluster) StopNode(name string) error {
	place, err := c.place(name)
	if err != nil || place.running == nil {
		return err
	}
	running := place.running
	place.running = nil
	return running.Stop()
}

// StartNode starts a real node that was stopped, and waits until it is ready.
func (c *Cluster) StartNode(ctx context.Context, name string) error {
	place, err := c.place(name)
	if err != nil || place.running != nil {
		return err
	}
	return c.startNode(ctx, place)
}

func (c *Cluster) place(name string) (*realNode, error) {
	i := slices.IndexFunc(c.nodes, func(p *realNode) bool { return p.config.Name == name })
	if i < 0 {
		return nil, fmt.Errorf("no real node is called %q; there are %v", name, c.RealNodes())
	}
	return c.nodes[i], nil
}

// LoadImage loads an archive of images, as docker save writes it, on all real
// nodes that run.
func (c *Cluster) LoadImage(ctx context.Context, archive string) error {
	return c.steps.run(ctx, "load "+filepath.Base(archive), func(ctx context.Context) error {
		group, ctx := errgroup.WithContext(ctx)
		for _, place := range c.nodes {
			if place.running != nil {
				group.Go(func() error { return place.running.LoadImage(ctx, archive) })
			}
		}
		return group.Wait()
	})
}

// LoadImage loads an archive of images on all real nodes of the cluster in dir,
// whichever process owns it. It returns the nodes' number.
func LoadImage(ctx context.Context, dir, archive string) (int, error) {
	paths := layout{dir: dir}
	state, err := ReadState(dir)
	if err != nil {
		return 0, err
	}
	if state.Spec.Nodes == 0 {
		return 0, errors.New("the cluster has no real nodes; on simulated ones no image is run")
	}
	for i := range state.Spec.Nodes {
		if err := node.LoadImage(ctx, paths.nodeDir(nodeName(i)), archive); err != nil {
			return 0, err
		}
	}
	return state.Spec.Nodes, nil
}

// stopNodes ends all real nodes, and then their network.
func (c *Cluster) stopNodes() error {
	var group errgroup.Group
	errs := make([]error, len(c.nodes))
	for i, place := range c.nodes {
		group.Go(func() error {
			if place != nil && place.running != nil {
				errs[i] = place.running.Stop()
			}
			return nil
		})
	}
	_ = group.Wait() // each has noted its error
	return errors.Join(errs...)
}
