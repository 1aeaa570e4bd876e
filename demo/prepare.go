package main

import (
	"context"
	"errors"

	"muster.sh/muster/internal/localcluster"
)

func prepare(ctx context.Context, o options, c *console, dir string) (ground, *localcluster.Cluster, error) {
	return nil, nil, errors.New("not yet")
}
