package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	// together is how long changes are waited for that come with another.
	together = 200 * time.Millisecond
	// stale is after how long ages are shown anew, and watches that have ended begin
	// again.
	stale = 10 * time.Second
)

// watchJobs shows jobs, and what becomes of them, until the context ends.
func (c *cluster) watchJobs(ctx context.Context, out io.Writer, how string) error {
	if how != "" && how != wide {
		return fmt.Errorf("--watch shows a table; leave -o %s out, or --watch", how)
	}
	shown, changed := newScreen(out), make(chan struct{}, 1)
	for {
		following, cancel := context.WithTimeout(ctx, stale)
		err := c.follow(following, changed)
		if err == nil {
			err = c.showUntil(following, shown, changed, how == wide)
		}
		isStale := following.Err() != nil
		cancel()
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && !isStale:
			return err
		}
	}
}

// showUntil shows jobs with each change until the context ends.
func (c *cluster) showUntil(ctx context.Context, shown *screen, changed <-chan struct{}, whole bool) error {
	for {
		jobs, err := c.jobsByAge(ctx)
		if err != nil {
			return err
		}
		rows, err := c.table(ctx, jobs, whole)
		if err != nil {
			return err
		}
		shown.show(shown.rows(rows)...)
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
			time.Sleep(together)
		}
	}
}

// rows are those of a table as they are shown: where lines stay, one that differs by its
// age alone is none that is new.
func (s *screen) rows(table [][]string) []string {
	if s.width > 0 {
		return aligned(table)
	}
	age := slices.Index(table[0], ageHeading)
	lines := make([]string, len(table))
	for i, row := range table {
		if age >= 0 {
			row = slices.Delete(slices.Clone(row), age, age+1)
		}
		lines[i] = strings.Join(row, "  ")
	}
	return lines
}

// follow sends something with each change of a job or of its pods, until the context ends.
func (c *cluster) follow(ctx context.Context, changed chan<- struct{}) error {
	for _, k := range kinds {
		if err := c.followList(ctx, changed, k.list()); err != nil && !meta.IsNoMatchError(err) {
			return err
		}
		if err := c.followList(ctx, changed, &corev1.PodList{}, client.HasLabels{k.labelled}); err != nil {
			return err
		}
	}
	return nil
}

func (c *cluster) followList(ctx context.Context, changed chan<- struct{}, list client.ObjectList, options ...client.ListOption) error {
	events, err := c.Watch(ctx, list, append(options, client.InNamespace(c.namespace))...)
	if err != nil {
		return err
	}
	context.AfterFunc(ctx, events.Stop)
	go func() {
		for range events.ResultChan() {
			select {
			case changed <- struct{}{}:
			default: // it is known already that something has changed
			}
		}
	}()
	return nil
}
