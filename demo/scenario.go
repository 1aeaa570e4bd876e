package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"k8s.io/client-go/kubernetes"

	"muster.sh/muster/internal/localcluster"
)

// ground is what the applications run on: real nodes with Spark, or simulated
// ones with an actor.
type ground interface {
	// submit brings one application to the cluster.
	submit(ctx context.Context, app application) error
	// check judges an application that has ended: its result in a few words, and
	// what is wrong with it, or nothing.
	check(ctx context.Context, r *run) (result, problem string)
	// label follows the demo's verdict, so that nobody takes one ground for the
	// other.
	label() string
}

// perform runs the whole demo, with all its files in dir, and returns the verdict.
func perform(ctx context.Context, o options, c *console, dir string) (verdict string, err error) {
	g, cluster, err := prepare(ctx, o, c, dir)
	if err != nil {
		return "", err
	}
	defer func() {
		if o.keep {
			c.say("the cluster stays until Ctrl-C: export KUBECONFIG=%s", cluster.Kubeconfig())
			<-ctx.Done()
		}
		err = closing(cluster, err)
	}()
	cluster.SetProgress(c) // from now on lines come at any time
	apps, err := castApplications(ctx, cluster.Client(), o.apps)
	if err != nil {
		return "", err
	}
	c.say("%d applications of %d pods, %s CPU for each driver and %s for each executor; %d of them fit at a time",
		len(apps), apps[0].members(), apps[0].driverCPU.String(), apps[0].executorCPU.String(), gangsAtOnce)

	b := newBoard(apps)
	err = submitAndFollow(ctx, o, c, g, b, cluster.Client())
	switch {
	case o.scheduler == defaultScheduler && errors.Is(err, errDeadlock):
		c.print(explainDeadlock(b))
		return "deadlock shown" + g.label(), nil
	case err != nil:
		return "", err
	}
	problems := conclude(ctx, c, g, b)
	if o.scheduler == defaultScheduler {
		return "", errors.New("the default scheduler did not deadlock: its drivers did not start at the same moment; try again, or with more --apps")
	}
	report := filepath.Join(dir, "audit.txt")
	if err := judge(cluster.AuditLogPath(), report, apps, true); err != nil {
		problems = append(problems, fmt.Errorf("%w (whole report: %s)", err, report))
	} else {
		c.say("audit log: no stranded gang, no overcommitted node, no stolen room, every driver's executors reserved before it started")
	}
	return "ok" + g.label(), errors.Join(problems...)
}

// closing ends the cluster and returns err, and what went wrong with the ending.
func closing(cluster *localcluster.Cluster, err error) error {
	if close := cluster.Close(); close != nil {
		return errors.Join(err, fmt.Errorf("end the cluster: %w", close))
	}
	return err
}

// castApplications makes the applications, sized to the cluster's nodes.
func castApplications(ctx context.Context, client kubernetes.Interface, n int) ([]application, error) {
	cpu, memory, err := smallestNode(ctx, client)
	if err != nil {
		return nil, err
	}
	s, err := sizeFor(cpu, memory)
	if err != nil {
		return nil, err
	}
	var apps []application
	for _, q := range questions[:n] {
		apps = append(apps, application{q, s})
	}
	return apps, nil
}

// submitAndFollow submits all applications at once and follows them to their end.
func submitAndFollow(ctx context.Context, o options, c *console, g ground, b *board, client kubernetes.Interface) error {
	ctx, cancel := context.WithTimeoutCause(ctx, o.timeout, fmt.Errorf("not all had ended after %s", o.timeout))
	var submitting sync.WaitGroup
	defer submitting.Wait()
	defer cancel()
	pods, err := watchPods(ctx, client)
	if err != nil {
		return err
	}
	failed := make(chan error, len(b.runs))
	for _, r := range b.runs {
		submitting.Go(func() {
			if err := g.submit(ctx, r.application); err != nil {
				failed <- err
			}
		})
	}
	c.say("%d applications are being submitted at the same moment, to scheduler %s", len(b.runs), o.scheduler)
	return c.follow(ctx, b, pods, failed)
}

// conclude checks every application, prints the table and returns what is wrong.
func conclude(ctx context.Context, c *console, g ground, b *board) []error {
	var outcomes []outcome
	var problems []error
	for _, r := range b.runs {
		result, problem := g.check(ctx, r)
		check := "ok"
		if problem != "" {
			check = problem
			problems = append(problems, fmt.Errorf("%s: %s", r.name, problem))
		}
		outcomes = append(outcomes, outcome{
			application: r.name, members: r.members(), places: r.places(), result: result, check: check,
			waited: seconds(r.driver.created, r.driver.bound), ran: seconds(r.driver.bound, r.driver.ended),
		})
	}
	c.print("\n" + renderTable(outcomes) + "\n")
	return problems
}

// explainDeadlock tells what is to be seen on the cluster.
func explainDeadlock(b *board) string {
	var text strings.Builder
	drivers, executors := 0, 0
	for _, r := range b.runs {
		if r.starving() {
			drivers++
			executors += len(r.executors)
		}
	}
	fmt.Fprintf(&text, "\nFor %d s nothing has moved:\n\n", int(stall/time.Second))
	for _, r := range b.runs {
		fmt.Fprintf(&text, "  %-16s %s\n", r.name, r)
	}
	fmt.Fprintf(&text, `
%d drivers run and hold all the room; their %d executors fit nowhere. Spark never gives up
by itself, so they would wait for ever: each pod was placed well, and all of them together
badly. Muster reserves the room of a driver's executors before it lets the driver start:
make demo shows that.

`, drivers, executors)
	return text.String()
}
