package localcluster

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation"
)

// Spec describes a cluster. The zero value is a control plane with the default
// scheduler and no nodes.
type Spec struct {
	// Dir holds all of the cluster's state. Empty: a new temporary folder.
	// A folder that already holds a cluster's state starts that cluster again,
	// with the same ports, certificates and objects.
	Dir string `json:"dir,omitempty"`
	// Keep leaves the state in Dir when the cluster is closed, so that it can
	// be started again. Without it Close removes the state.
	Keep bool `json:"keep,omitempty"`

	// KubernetesVersion is the minor version of API server, controller manager and
	// default scheduler, such as 1.34; empty: muster-local's own. Those of an older
	// one are processes of their own, and its nodes are simulated.
	KubernetesVersion string `json:"kubernetesVersion,omitempty"`

	// Nodes is the number of real nodes: kubelet, containerd and runc in
	// namespaces of their own.
	Nodes int `json:"nodes,omitempty"`
	// NodeCPUs is how many CPUs each real node shows; zero shows the machine's.
	NodeCPUs int `json:"nodeCPUs,omitempty"`
	// NodeMemory is how much memory each real node shows; zero shows the
	// machine's.
	NodeMemory resource.Quantity `json:"nodeMemory,omitzero"`
	// SharedFolders are folders of this machine that every real node sees at
	// the same path and can write to, for hostPath volumes.
	SharedFolders []string `json:"sharedFolders,omitempty"`

	// SimNodes is the number of simulated nodes, all of SimNodeShape.
	SimNodes int `json:"simNodes,omitempty"`
	// SimNodeShape is what a simulated node offers; empty: DefaultShape.
	SimNodeShape Shape `json:"simNodeShape,omitzero"`

	// SparkActor plays Spark drivers on the simulated nodes; see package
	// sparkactor.
	SparkActor bool `json:"sparkActor,omitempty"`

	// Schedulers are started beside each other. Nil: the default scheduler;
	// empty but not nil: none.
	Schedulers []SchedulerSpec `json:"schedulers"`
	// Operators runs muster-operators, with the definitions of the jobs that it runs.
	// Nil: it does not run.
	Operators *OperatorsSpec `json:"operators,omitempty"`
	// Programs are started with the schedulers.
	Programs []ProgramSpec `json:"programs,omitempty"`
	// Manifests are YAML or JSON files, or folders of them, applied before the
	// schedulers start. The custom resources they define are served by then.
	Manifests []string `json:"manifests,omitempty"`
	// FeatureGates are set on every component.
	FeatureGates map[string]bool `json:"featureGates,omitempty"`
	// RuntimeConfig turns API versions on or off, such as
	// scheduling.k8s.io/v1beta1: "true".
	RuntimeConfig map[string]string `json:"runtimeConfig,omitempty"`
	// AuditLog records every write; see Cluster.AuditLogPath.
	AuditLog bool `json:"auditLog,omitempty"`
	// SeparateProcesses runs etcd, API server and controller manager as three
	// processes instead of one, so that each can be killed or measured alone.
	SeparateProcesses bool `json:"separateProcesses,omitempty"`

	// Binary is the path of muster-local. Empty: this process's own file if it
	// is one, else $MUSTER_LOCAL, else one built from the module around the
	// working directory and kept in the user's cache.
	Binary string `json:"binary,omitempty"`
	// Progress is told what happens, a line a step. Nil: nothing is said.
	Progress io.Writer `json:"-"`
}

// SchedulerSpec describes one scheduler.
type SchedulerSpec struct {
	// Name is the component's name, and the name of its leader election lease.
	Name string `json:"name"`
	// Program is the command of muster-local that runs it; empty: kube-scheduler.
	// It must take kube-scheduler's flags.
	Program string `json:"program,omitempty"`
	// Binary runs it from a program file of its own instead, by Program as its
	// command if that is set.
	Binary string `json:"binary,omitempty"`
	// Config is the content of its configuration file; empty: none. In a
	// KubeSchedulerConfiguration the client connection is filled in.
	Config string `json:"config,omitempty"`
	// Args are further flags; they win over those set here.
	Args []string `json:"args,omitempty"`
	// User is whom the API server takes it for; empty: system:kube-scheduler,
	// which has kube-scheduler's rights.
	User string `json:"user,omitempty"`
	// Replicas is the number of processes; zero means one. More than one elect
	// a leader, and are called NAME-0, NAME-1…
	Replicas int `json:"replicas,omitempty"`
}

// OperatorsSpec describes muster-operators.
type OperatorsSpec struct {
	// Binary is the path of its program file; empty: it is a command of muster-local.
	Binary string `json:"binary,omitempty"`
	// Config is the content of its configuration file; empty: the defaults, but for the
	// drivers of Spark, which aren't asked for their progress where nodes are simulated.
	Config string `json:"config,omitempty"`
}

// ProgramSpec describes a process of somebody else's beside the cluster's own
// components, such as a controller.
//
// Args, Env, Config and Ready are told of the cluster by names that stand for it:
// $KUBECONFIG, $CONFIG (the file with Config), $HOST (the address to serve on, and
// the API server's), $API_PORT (the API server's port), and each of Ports. $$ is a
// dollar sign.
type ProgramSpec struct {
	// Name is the component's name.
	Name string `json:"name"`
	// Binary is the path of its file.
	Binary string   `json:"binary"`
	Args   []string `json:"args,omitempty"`
	// Env is added to its environment, as NAME=value.
	Env []string `json:"env,omitempty"`
	// Config is the content of a configuration file; empty: it has none.
	Config string `json:"config,omitempty"`
	// Ports are names that stand for free ports, such as HEALTH.
	Ports []string `json:"ports,omitempty"`
	// Ready is the URL that answers once it is ready; empty: when it runs.
	Ready string `json:"ready,omitempty"`
	// User is whom the API server takes it for.
	User string `json:"user"`
}

// port is the name under which the cluster keeps one of its ports.
func (p ProgramSpec) port(name string) string { return p.Name + "/" + name }

// DefaultScheduler is kube-scheduler as Kubernetes ships it.
func DefaultScheduler() SchedulerSpec {
	return SchedulerSpec{Name: "kube-scheduler"}
}

// defaultProgram runs a scheduler that names none.
const defaultProgram = "kube-scheduler"

func (s SchedulerSpec) program() string { return cmp.Or(s.Program, defaultProgram) }

func (s SchedulerSpec) replicas() []string {
	if s.Replicas <= 1 {
		return []string{s.Name}
	}
	names := make([]string, s.Replicas)
	for i := range names {
		names[i] = fmt.Sprintf("%s-%d", s.Name, i)
	}
	return names
}

func (s *Spec) setDefaults() {
	s.KubernetesVersion = cmp.Or(s.KubernetesVersion, ownKubernetes)
	if s.Schedulers == nil {
		s.Schedulers = []SchedulerSpec{DefaultScheduler()}
	}
	if s.SimNodeShape.Resources == nil {
		s.SimNodeShape = DefaultShape()
	}
	if s.Progress == nil {
		s.Progress = io.Discard
	}
}

func (s *Spec) validate() error {
	errs := []error{s.validateKubernetes()}
	if s.Nodes < 0 || s.Nodes > maxRealNodes {
		errs = append(errs, fmt.Errorf("nodes: %d must be from 0 to %d", s.Nodes, maxRealNodes))
	}
	if s.SimNodes < 0 || s.SimNodes > maxSimNodes {
		errs = append(errs, fmt.Errorf("simulated nodes: %d must be from 0 to %d", s.SimNodes, maxSimNodes))
	}
	if s.NodeCPUs < 0 {
		errs = append(errs, fmt.Errorf("node CPUs: %d must not be below 0", s.NodeCPUs))
	}
	if s.NodeMemory.Sign() < 0 {
		errs = append(errs, fmt.Errorf("node memory: %s must not be below 0", s.NodeMemory.String()))
	}
	taken := map[string]bool{}
	reserved := []string{portEtcd, portEtcdPeer, portAPIServer, portControllerManager,
		"control-plane", "coredns", "kwok", OperatorsComponent, proxyUser, "admin"}
	claim := func(what, name string, processes ...string) {
		if bad := validation.IsDNS1123Label(name); len(bad) > 0 {
			errs = append(errs, fmt.Errorf("%s name %q: %s", what, name, strings.Join(bad, "; ")))
		}
		if slices.Contains(reserved, name) {
			errs = append(errs, fmt.Errorf("%s name %q: taken by another component", what, name))
		}
		for _, name := range processes {
			if taken[name] {
				errs = append(errs, fmt.Errorf("%s name %q: used twice", what, name))
			}
			taken[name] = true
		}
	}
	for _, scheduler := range s.Schedulers {
		claim("scheduler", scheduler.Name, scheduler.replicas()...)
	}
	for _, program := range s.Programs {
		claim("program", program.Name, program.Name)
	}
	return errors.Join(errs...)
}

// simulates tells whether the cluster has simulated nodes, now or later: a
// cluster without real nodes may be given some at any time.
func (s *Spec) simulates() bool { return s.SimNodes > 0 || s.Nodes == 0 }

// gates is the value of --feature-gates, or empty.
func (s *Spec) gates() string { return joinPairs(s.FeatureGates) }

// joinPairs renders a map as k8s flags want it: a=x,b=y.
func joinPairs[V any](values map[string]V) string {
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		pairs = append(pairs, fmt.Sprintf("%s=%v", name, values[name]))
	}
	return strings.Join(pairs, ",")
}
