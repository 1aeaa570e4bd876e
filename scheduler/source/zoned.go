package source

import (
	"reflect"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"muster.sh/muster/scheduler/cluster"
	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/numa"
)

// zoned is what a node has told of its zones last.
type zoned struct {
	topology *numa.Topology
	report   cluster.ZoneReport
}

// zoneAPIs is how many kinds of objects tell of zones.
const zoneAPIs = 2

// zoneAPI is one of them; its objects are called as the nodes are.
type zoneAPI struct {
	customAPI
	// rank decides where several tell of a node: the lowest counts.
	rank int
	read func(*unstructured.Unstructured) (*zoned, error)
}

func (a zoneAPI) custom() customAPI {
	api := a.customAPI
	api.set = func(c *collector, u *unstructured.Unstructured) {
		z, err := a.read(u)
		if err != nil {
			// What can't be understood counts as nothing.
			c.ask(complaint{"The zones of a node can't be read", u.GetName(), err})
			z = nil
		}
		c.putZones(u.GetName(), a.rank, z)
	}
	api.gone = func(c *collector, u *unstructured.Unstructured) { c.putZones(u.GetName(), a.rank, nil) }
	api.none = func(c *collector) {
		for _, node := range sortedKeys(c.zones[a.rank]) {
			c.putZones(node, a.rank, nil)
		}
	}
	return api
}

// putZones takes in what a kind of objects tells of a node's zones; nil is nothing.
func (c *collector) putZones(node string, rank int, z *zoned) {
	before := c.zonesOf(node)
	if old := c.zones[rank][node]; old != nil && z != nil && reflect.DeepEqual(old.topology, z.topology) {
		z.topology = old.topology
	}
	if c.zones[rank][node] = z; z == nil {
		delete(c.zones[rank], node)
	}
	now := c.zonesOf(node)
	if now == before {
		return
	}
	if n := c.nodes[node]; n != nil && now.alignment() != before.alignment() {
		c.tellNode(n)
	}
	if now != nil {
		c.emit(core.ZonesReported{Node: node, Report: now.report})
	}
}

// zonesOf is what is known of a node's zones, or nil.
func (c *collector) zonesOf(node string) *zoned {
	for _, told := range c.zones {
		if z := told[node]; z != nil {
			return z
		}
	}
	return nil
}

// alignment is how the node's kubelet aligns, as far as that is known.
func (z *zoned) alignment() *numa.Topology {
	if z == nil {
		return nil
	}
	return z.topology
}
