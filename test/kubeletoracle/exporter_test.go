package kubeletoracle

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/k8stopologyawareschedwg/noderesourcetopology-api/pkg/apis/topology/v1alpha2"
	"github.com/k8stopologyawareschedwg/noderesourcetopology-api/pkg/apis/topology/v1alpha2/helper/attribute"
	"github.com/k8stopologyawareschedwg/noderesourcetopology-api/pkg/generated/clientset/versioned"
	"github.com/k8stopologyawareschedwg/podfingerprint"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"muster.sh/muster/scheduler/numa"
)

// exporter publishes a node's zones as node-feature-discovery's topology updater does,
// and takes its time over it.
type exporter struct {
	node   string
	client versioned.Interface
	fail   func(error)
	rand   *rand.Rand
	// next is what is to be published; what is newer takes its place.
	next chan *v1alpha2.NodeResourceTopology
}

// tell gives it what to publish. One calls it at a time.
func (e *exporter) tell(report *v1alpha2.NodeResourceTopology) {
	select {
	case <-e.next:
	default:
	}
	e.next <- report
}

func (e *exporter) run(ctx context.Context) {
	for {
		var report *v1alpha2.NodeResourceTopology
		select {
		case report = <-e.next:
		case <-ctx.Done():
			return
		}
		late := time.Duration(0)
		if e.rand.IntN(3) == 0 {
			late = time.Duration(e.rand.IntN(2000)) * time.Millisecond
		}
		if !after(ctx, late) {
			return
		}
		if err := e.publish(ctx, report); err != nil && ctx.Err() == nil {
			e.fail(err)
		}
	}
}

func (e *exporter) create(ctx context.Context, report *v1alpha2.NodeResourceTopology) error {
	if _, err := e.client.TopologyV1alpha2().NodeResourceTopologies().Create(ctx, report, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("publish the zones of %s: %w", e.node, err)
	}
	return nil
}

func (e *exporter) publish(ctx context.Context, report *v1alpha2.NodeResourceTopology) error {
	all := e.client.TopologyV1alpha2().NodeResourceTopologies()
	old, err := all.Get(ctx, e.node, metav1.GetOptions{})
	if err != nil {
		return fmt.Errorf("read the zones of %s: %w", e.node, err)
	}
	old.Zones, old.Attributes = report.Zones, attribute.Merge(old.Attributes, report.Attributes)
	if _, err := all.Update(ctx, old, metav1.UpdateOptions{}); err != nil {
		return fmt.Errorf("publish the zones of %s: %w", e.node, err)
	}
	return nil
}

// report is what the kubelet tells exporters now.
func (h *host) report() *v1alpha2.NodeResourceTopology {
	report := &v1alpha2.NodeResourceTopology{
		ObjectMeta: metav1.ObjectMeta{Name: h.name},
		Attributes: v1alpha2.AttributeList{
			{Name: "topologyManagerPolicy", Value: string(h.model.Policy)},
			{Name: "topologyManagerScope", Value: string(h.model.Scope)},
		},
	}
	// The topology updater leaves the last one where there are no pods.
	if len(h.active) > 0 {
		report.Attributes = append(report.Attributes, v1alpha2.AttributeInfo{Name: podfingerprint.Attribute, Value: h.fingerprint()})
	}
	for i, left := range h.kubelet.state(h.model) {
		report.Zones = append(report.Zones, zone(&h.model.Zones[i], left))
	}
	return report
}

func (h *host) fingerprint() string {
	f := podfingerprint.NewFingerprint(len(h.active))
	for _, pod := range h.active {
		_ = f.Add(pod.Namespace, pod.Name) // it returns no error ever
	}
	return f.Sign()
}

func zone(z *numa.Zone, left numa.Free) v1alpha2.Zone {
	out := v1alpha2.Zone{Name: fmt.Sprint("node-", z.ID), Type: "Node"}
	for to, cost := range z.Costs {
		out.Costs = append(out.Costs, v1alpha2.CostInfo{Name: fmt.Sprint("node-", to), Value: cost})
	}
	z.Allocatable.Each(func(name string, allocatable int64) {
		out.Resources = append(out.Resources, v1alpha2.ResourceInfo{
			Name:        name,
			Capacity:    quantity(name, z.Capacity.Get(name)),
			Allocatable: quantity(name, allocatable),
			Available:   quantity(name, left.Left.Get(name)),
		})
	})
	return out
}
