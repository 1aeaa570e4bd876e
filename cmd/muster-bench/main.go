// Command muster-bench compares schedulers on clusters of their own.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"muster.sh/muster/benchmarks/command"
)

func main() {
	ctx, _ := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	if err := command.New().ExecuteContext(ctx); err != nil {
		os.Exit(1)
	}
}
