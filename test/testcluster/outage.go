package testcluster

import (
	"context"
	"fmt"
	"slices"
	"time"

	"muster.sh/muster/benchmarks/audit"
)

// ControlPlane stands for the components that the API server is one of.
const ControlPlane = "control-plane"

const (
	// recovery is what a scheduler may take, once everything serves again, to see
	// the cluster anew and complete what was half done.
	recovery = 5 * time.Second
	// reconnecting is what it may take to see the cluster at all after the API
	// server was away: client-go's watches wait 30 s at most between two tries,
	// and up to as much again by chance.
	reconnecting = 60 * time.Second
)

// Outage kills a component, or all of the ControlPlane, without warning and starts it
// again with the state it had. While it lasts, and for a recovery time, no gang is
// called stranded.
func (c *Cluster) Outage(ctx context.Context, component string) error {
	began := time.Now()
	victims := []string{component}
	if component == ControlPlane {
		victims = c.Cluster.ControlPlane()
	}
	for _, victim := range slices.Backward(victims) {
		if err := c.Kill(victim); err != nil {
			return fmt.Errorf("kill %s: %w", victim, err)
		}
	}
	for _, victim := range victims {
		if err := c.Start(ctx, victim); err != nil {
			return fmt.Errorf("start %s again: %w", victim, err)
		}
	}
	if component != ControlPlane {
		c.Excuse(began)
		return nil
	}
	outage := audit.Span{From: began, Until: time.Now()}
	c.serverOutages = append(c.serverOutages, outage)
	c.excused = append(c.excused, audit.Span{From: began, Until: outage.Until.Add(reconnecting + recovery)})
	return nil
}

// Reconfigure starts Muster's scheduler again, with another configuration than that
// which it must have been started with.
func (c *Cluster) Reconfigure(ctx context.Context, config string) error {
	if err := c.SetConfig(MusterComponent, configuration(config)); err != nil {
		return err
	}
	return c.Outage(ctx, MusterComponent)
}

// Excuse says that from the given time until now nobody could bind anything.
func (c *Cluster) Excuse(from time.Time) {
	c.excused = append(c.excused, audit.Span{From: from, Until: time.Now().Add(recovery)})
}
