package localcluster

import (
	"context"
	"fmt"
	"net/netip"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"
)

const (
	// SimulatedLabel marks simulated nodes ("true").
	SimulatedLabel = "muster.sh/simulated"
	// ZonesLabel holds a simulated node's number of NUMA zones.
	ZonesLabel = "muster.sh/numa-zones"
	// DurationAnnotation has a simulated node end a pod by itself when it has run for so
	// long.
	DurationAnnotation = "muster.sh/simulated-duration"

	maxRealNodes = 100
	maxSimNodes  = 25000

	// createParallelism is how many nodes are created at a time.
	createParallelism = 16
	// simNodesTimeout bounds the wait for nodes to become schedulable: the
	// controller manager takes the not-ready taint from each of them.
	simNodesTimeout = 10 * time.Minute
)

// AddSimNodes adds n simulated nodes and waits until pods can be scheduled to
// them. Their names go on from the last one's.
func (c *Cluster) AddSimNodes(ctx context.Context, n int, shape Shape) error {
	if !c.spec.simulates() {
		return fmt.Errorf("this cluster simulates no nodes; start it with at least one simulated node")
	}
	have, err := c.countSimNodes(ctx)
	if err != nil {
		return err
	}
	if have+n > maxSimNodes {
		return fmt.Errorf("%d simulated nodes are too many; at most %d are possible", have+n, maxSimNodes)
	}
	return c.createSimNodes(ctx, have, have+n, shape)
}

// fillSimNodes adds what is missing to Spec.SimNodes.
func (c *Cluster) fillSimNodes(ctx context.Context) error {
	return c.createSimNodes(ctx, 0, c.spec.SimNodes, c.spec.SimNodeShape)
}

// removeSurplusNodes deletes the nodes of an earlier run that this one does not
// have, or has in another shape. Their pods go with them.
func (c *Cluster) removeSurplusNodes(ctx context.Context) error {
	wanted := map[string]bool{}
	for i := range c.spec.Nodes {
		wanted[nodeName(i)] = true
	}
	for i := range c.spec.SimNodes {
		wanted[simNodeName(i)] = true
	}
	nodes, err := c.client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return fmt.Errorf("list nodes: %w", err)
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(createParallelism)
	for _, node := range nodes.Items {
		simulated := node.Labels[SimulatedLabel] == "true"
		if wanted[node.Name] && (!simulated || c.spec.SimNodeShape.fits(&node)) {
			continue
		}
		group.Go(func() error {
			err := c.client.CoreV1().Nodes().Delete(ctx, node.Name, metav1.DeleteOptions{})
			if err != nil && !apierrors.IsNotFound(err) {
				return fmt.Errorf("delete node %s of an earlier run: %w", node.Name, err)
			}
			return nil
		})
	}
	return group.Wait()
}

// fits tells whether a simulated node has this shape.
func (s Shape) fits(node *corev1.Node) bool {
	return apiequality.Semantic.DeepEqual(node.Status.Capacity, s.Resources) && node.Labels[ZonesLabel] == strconv.Itoa(s.Zones)
}

func (c *Cluster) countSimNodes(ctx context.Context) (int, error) {
	nodes, err := c.client.CoreV1().Nodes().List(ctx, metav1.ListOptions{LabelSelector: SimulatedLabel + "=true"})
	if err != nil {
		return 0, fmt.Errorf("list simulated nodes: %w", err)
	}
	return len(nodes.Items), nil
}

func (c *Cluster) createSimNodes(ctx context.Context, from, to int, shape Shape) error {
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(createParallelism)
	for i := from; i < to; i++ {
		group.Go(func() error {
			_, err := c.client.CoreV1().Nodes().Create(groupCtx, simNode(i, shape), metav1.CreateOptions{})
			if err != nil && !apierrors.IsAlreadyExists(err) {
				return fmt.Errorf("create simulated node: %w", err)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return c.awaitSchedulable(ctx, to)
}

// awaitSchedulable waits until that many simulated nodes carry no taint.
func (c *Cluster) awaitSchedulable(ctx context.Context, want int) error {
	ctx, cancel := context.WithTimeout(ctx, simNodesTimeout)
	defer cancel()
	nodes := cache.NewFilteredListWatchFromClient(c.client.CoreV1().RESTClient(), "nodes", "",
		func(options *metav1.ListOptions) { options.LabelSelector = SimulatedLabel + "=true" })
	schedulable := map[string]bool{}
	note := func(node *corev1.Node) {
		if len(node.Spec.Taints) == 0 {
			schedulable[node.Name] = true
		}
	}
	_, err := watchtools.UntilWithSync(ctx, nodes, &corev1.Node{}, nil, func(event watch.Event) (bool, error) {
		if node, ok := event.Object.(*corev1.Node); ok {
			note(node)
		}
		return len(schedulable) >= want, nil
	})
	if err != nil {
		return fmt.Errorf("wait for simulated nodes: %d of %d can be scheduled to: %w", len(schedulable), want, err)
	}
	return nil
}

func simNodeName(i int) string { return fmt.Sprintf("sim-%05d", i) }

// simNode is the node as a kubelet would register it, with its status: so no
// other write is needed to make it ready.
func simNode(i int, shape Shape) *corev1.Node {
	name := simNodeName(i)
	podCIDR := netip.PrefixFrom(addressAt(netip.MustParseAddr("10.128.0.0"), i<<8), 24).String()
	labels := map[string]string{
		SimulatedLabel:                 "true",
		ZonesLabel:                     strconv.Itoa(shape.Zones),
		corev1.LabelHostname:           name,
		corev1.LabelOSStable:           "linux",
		corev1.LabelArchStable:         "amd64",
		corev1.LabelInstanceTypeStable: "simulated",
	}
	// The controller manager would add these, each by a write of its own.
	labels["beta.kubernetes.io/os"], labels["beta.kubernetes.io/arch"] = labels[corev1.LabelOSStable], labels[corev1.LabelArchStable]
	now := metav1.Now()
	var conditions []corev1.NodeCondition
	for _, condition := range []struct {
		kind   corev1.NodeConditionType
		status corev1.ConditionStatus
	}{
		{corev1.NodeReady, corev1.ConditionTrue},
		{corev1.NodeMemoryPressure, corev1.ConditionFalse},
		{corev1.NodeDiskPressure, corev1.ConditionFalse},
		{corev1.NodePIDPressure, corev1.ConditionFalse},
	} {
		conditions = append(conditions, corev1.NodeCondition{
			Type: condition.kind, Status: condition.status, Reason: "Simulated",
			LastHeartbeatTime: now, LastTransitionTime: now,
		})
	}
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels},
		Spec:       corev1.NodeSpec{PodCIDR: podCIDR, PodCIDRs: []string{podCIDR}, ProviderID: "simulated://" + name},
		Status: corev1.NodeStatus{
			Capacity:    shape.Resources,
			Allocatable: shape.Resources,
			Conditions:  conditions,
			Addresses: []corev1.NodeAddress{
				{Type: corev1.NodeInternalIP, Address: addressAt(netip.MustParseAddr("100.64.0.1"), i).String()},
				{Type: corev1.NodeHostName, Address: name},
			},
			NodeInfo: corev1.NodeSystemInfo{
				OperatingSystem: "linux", Architecture: "amd64", OSImage: "simulated",
				KubeletVersion: kubernetesVersion, ContainerRuntimeVersion: "simulated://0",
			},
		},
	}
}

// addressAt is the address n after base.
func addressAt(base netip.Addr, n int) netip.Addr {
	b := base.As4()
	v := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
	v += uint32(n)
	return netip.AddrFrom4([4]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)})
}
