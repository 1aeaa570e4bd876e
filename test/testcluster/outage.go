package testcluster

import (
	"context"
	"fmt"
	"time"

	"muster.sh/muster/benchmarks/audit"
)

// recovery is what a scheduler may take, once everything serves again, to see the
// cluster anew and complete what was half done.
const recovery = 5 * time.Second

// Outage kills a component without warning and starts it again with the state it
// had. While it lasts, and for a recovery time, no gang is called stranded.
func (c *Cluster) Outage(ctx context.Context, component string) error {
	began := time.Now()
	if err := c.Kill(component); err != nil {
		return fmt.Errorf("kill %s: %w", component, err)
	}
	if err := c.Start(ctx, component); err != nil {
		return fmt.Errorf("start %s again: %w", component, err)
	}
	c.Excuse(began)
	return nil
}

// Excuse says that from the given time until now nobody could bind anything.
func (c *Cluster) Excuse(from time.Time) {
	c.outages = append(c.outages, audit.Span{From: from, Until: time.Now().Add(recovery)})
}
