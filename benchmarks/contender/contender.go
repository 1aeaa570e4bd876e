// Package contender knows the schedulers that are compared: how each is started,
// and how it is told that pods are a gang. Each is set up as its own
// documentation recommends for throughput.
package contender

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"muster.sh/muster/benchmarks/scenario"
	"muster.sh/muster/internal/localcluster"
)

// Gang is a gang as a scenario has it.
type Gang struct {
	Namespace, Name string
	Size            int
	// GPUs is how many each of its pods asks for.
	GPUs int
	// Runtime is how long it says that it runs; zero: it doesn't say.
	Runtime time.Duration
	// Queue is the one that it charges, by its tenant's name; empty: none in particular.
	Queue string
	// Priority is its PriorityClass; empty: none.
	Priority string
}

// Contender is a scheduler in a comparison.
type Contender struct {
	Name string
	// About says in a sentence what it is, with its version.
	About string
	// Setup adds to a cluster what the scheduler needs. Files that it makes for
	// that go to the folder.
	Setup func(ctx context.Context, spec *localcluster.Spec, dir string) error
	// Tool is what it is built from, by its name in the toolchain, if it has to be.
	Tool string
	// Components are its processes, by their names in the cluster. All are
	// counted as the scheduler's.
	Components []string
	// Users are whom the API server takes it for.
	Users []string
	// Declare returns what tells of a gang besides its pods, an object of the
	// resource Groups; nil if nothing does.
	Declare func(Gang) *unstructured.Unstructured
	Groups  schema.GroupVersionResource
	// Join makes a pod a member of a gang.
	Join func(*corev1.Pod, Gang)
	// SchedulerName is what pods say whom they are for.
	SchedulerName string
	// Tenants makes the queues of tenants, each of which has such a part of the cluster to
	// itself, lends what it does not use, and takes it back; nil if it has no such queues,
	// or none are set up here.
	Tenants func(part corev1.ResourceList, names []string) []*unstructured.Unstructured
	// PlainOnly is set where it knows no gangs.
	PlainOnly bool
	// Runtimes is set where it reads how long gangs say that they run.
	Runtimes bool
	// Spark is set where Spark applications can be submitted to it as they are.
	Spark bool
	// Lacks is the flag that says where its programs are, if that was not given.
	Lacks string
	// Loop is set where its loop can be measured alone, in a process of ours.
	Loop bool
	// Blind is set where it can't be blamed for what it does to gangs.
	Blind bool
}

// Does tells whether it can do a scenario.
func (c Contender) Does(s scenario.Scenario) bool {
	switch s.Mode {
	case scenario.Burst:
		return c.Spark
	case scenario.Loop:
		return c.Loop
	case scenario.Restart:
		// A pod that has been given its node is no member where its gang has no object.
		return c.Declare != nil
	case scenario.Contention:
		return !c.PlainOnly && !c.Blind && (c.Tenants != nil || len(s.Tenants()) == 0)
	case scenario.Trace:
		return !c.PlainOnly && !c.Blind && (c.Runtimes || !s.Declared)
	}
	return s.Plain || !c.PlainOnly
}

// writeManifest keeps a manifest in a folder and has a cluster apply it.
func writeManifest(spec *localcluster.Spec, dir, name string, content []byte) error {
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		return fmt.Errorf("keep a manifest: %w", err)
	}
	spec.Manifests = append(spec.Manifests, path)
	return nil
}

// mustExist checks that a folder that the user gave has what it should have.
func mustExist(flag, what string, files ...string) error {
	for _, file := range files {
		if _, err := os.Stat(file); err != nil {
			return fmt.Errorf("%s must be %s: %w", flag, what, err)
		}
	}
	return nil
}

// Folders have programs that can't be built from their modules. Empty ones are
// not given.
type Folders struct {
	Volcano, YuniKorn string
}

// All lists the contenders in the order of reports.
func All(f Folders) []Contender {
	return []Contender{
		floorScheduler(), muster(), native(), coscheduling(), kueue(), volcanoAt(f.Volcano), yunikornAt(f.YuniKorn), plain(),
	}
}

// Find returns the contender of a name, which must be able to run.
func Find(name string, f Folders) (Contender, error) {
	all := All(f)
	i := slices.IndexFunc(all, func(c Contender) bool { return c.Name == name })
	if i < 0 {
		var names []string
		for _, c := range all {
			names = append(names, c.Name)
		}
		return Contender{}, fmt.Errorf("no scheduler is called %q here; there are %v", name, names)
	}
	if lacks := all[i].Lacks; lacks != "" {
		return Contender{}, fmt.Errorf("%s needs %s, the folder in which it was built", name, lacks)
	}
	return all[i], nil
}
