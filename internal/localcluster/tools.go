package localcluster

import (
	"context"

	"muster.sh/muster/internal/localcluster/toolchain"
)

// buildTools builds programs that are not in muster-local, unless they were built
// before.
func (c *Cluster) buildTools(ctx context.Context, what string, tools ...string) error {
	return c.steps.watch(ctx, what, func(ctx context.Context, g *gauge) error {
		var err error
		c.tools, err = toolchain.Build(ctx, func(e toolchain.Event) {
			g.set(e.Done, e.Total, e.Tool)
			if e.Finished && !e.Cached {
				c.steps.logf("%7.1f s  built %s", e.Took.Seconds(), e.Tool)
			}
		}, tools...)
		return err
	})
}
