package effects

import (
	"context"
	"sync"
	"time"

	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/clock"
)

// queue has what is still to be done, each thing once.
type queue[T comparable] = workqueue.TypedRateLimitingInterface[T]

// newQueue returns an empty queue. What is to be tried again waits for pauses that
// grow from the first to the longest.
func newQueue[T comparable](c clock.WithTicker, first, longest time.Duration) queue[T] {
	return workqueue.NewTypedRateLimitingQueueWithConfig(
		workqueue.NewTypedItemExponentialFailureRateLimiter[T](first, longest),
		workqueue.TypedRateLimitingQueueConfig[T]{Clock: c})
}

// drain has some workers do what is in a queue until the context ends, and returns
// once none is at work any more. next does one thing, and reports false at the end.
func drain[T comparable](ctx context.Context, q queue[T], workers int, next func(context.Context) bool) {
	var running sync.WaitGroup
	for range workers {
		running.Go(func() {
			for next(ctx) {
			}
		})
	}
	<-ctx.Done()
	q.ShutDown()
	running.Wait()
}
