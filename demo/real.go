package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"
)

// realSpark runs applications by spark-submit on real nodes.
type realSpark struct {
	submitter
	dir     string // for logs
	client  kubernetes.Interface
	flights []flight
}

func (g *realSpark) label() string { return "" }

// check reads the answer in the driver's log and Spark's own event log.
func (g *realSpark) check(ctx context.Context, r *run) (result, problem string) {
	if r.driver.phase != corev1.PodSucceeded {
		return "", r.String()
	}
	got, err := g.answer(ctx, r)
	if err != nil {
		return "", err.Error()
	}
	want := r.question.answer(g.flights)
	if diff := compare(want, got); diff != "" {
		return "", "of the answer, " + diff
	}
	result = r.headline(want)
	events, err := g.eventLog(r)
	switch {
	case err != nil:
		return result, err.Error()
	case events.registered < r.size.executors:
		return result, fmt.Sprintf("only %d of %d executors registered", events.registered, r.size.executors)
	case !events.ended:
		return result, "Spark's event log has no end"
	}
	return result, ""
}

// answer keeps the driver's log beside the demo's other logs and returns the
// answer in it.
func (g *realSpark) answer(ctx context.Context, r *run) ([]string, error) {
	stream, err := g.client.CoreV1().Pods(namespace).GetLogs(r.driver.name, &corev1.PodLogOptions{}).Stream(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the driver's log: %w", err)
	}
	defer stream.Close()
	file, err := os.Create(filepath.Join(g.dir, r.name+".driver.log"))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if _, err := file.ReadFrom(stream); err != nil {
		return nil, fmt.Errorf("read the driver's log: %w", err)
	}
	if _, err := file.Seek(0, 0); err != nil {
		return nil, err
	}
	return answerIn(file, r.name)
}

// eventLog reads what Spark recorded of the application.
func (g *realSpark) eventLog(r *run) (eventLog, error) {
	file, err := os.Open(filepath.Join(g.events, r.id))
	if err != nil {
		return eventLog{}, fmt.Errorf("read Spark's event log: %w", err)
	}
	defer file.Close()
	return readEventLog(file)
}
