package v1alpha1

import (
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// APIVersion of every type in this package.
const APIVersion = "config.muster.sh/v1alpha1"

// SchedulerKind is the kind of SchedulerConfiguration.
const SchedulerKind = "SchedulerConfiguration"

// SchedulerConfiguration configures muster-scheduler. Durations are written
// as "30s" or "5m".
type SchedulerConfiguration struct {
	metav1.TypeMeta `json:",inline"`

	// SchedulerName is what a pod's spec.schedulerName says to be ours.
	// Default: muster.
	SchedulerName string `json:"schedulerName,omitempty"`
	// ServeDefaultScheduler makes this scheduler serve the name
	// default-scheduler too, so that all pods of the cluster pass one book of
	// room. No other scheduler may serve that name then. Default: false.
	ServeDefaultScheduler bool `json:"serveDefaultScheduler,omitempty"`

	// ClientConnection is how the API server is reached.
	ClientConnection ClientConnection `json:"clientConnection,omitzero"`
	// LeaderElection lets one of several replicas act.
	LeaderElection LeaderElection `json:"leaderElection,omitzero"`
	// Serving is where health and metrics are served.
	Serving Serving `json:"serving,omitzero"`

	// Gangs bounds how long gangs wait and hold room.
	Gangs Gangs `json:"gangs,omitzero"`
	// Placement tells onto which nodes members go where several have room.
	Placement Placement `json:"placement,omitzero"`
	// Consolidation moves work to let gangs start for which there is room, but
	// scattered.
	Consolidation Consolidation `json:"consolidation,omitzero"`
	// Reclaim takes room back from those who have less right to it.
	Reclaim Reclaim `json:"reclaim,omitzero"`
	// Backfill lets gangs start before one that waits for room, where that does not make it
	// start later.
	Backfill Backfill `json:"backfill,omitzero"`
	// Spark tells how Spark applications are read.
	Spark Spark `json:"spark,omitzero"`
	// PodGroups tells which PodGroups are this scheduler's.
	PodGroups PodGroups `json:"podGroups,omitzero"`
	// Autoscaling tells cluster autoscalers what gangs have no room for.
	Autoscaling Autoscaling `json:"autoscaling,omitzero"`
	// Record keeps what the scheduler is told and decides, for a replay elsewhere.
	Record Record `json:"record,omitzero"`
}

// ClientConnection is how the API server is reached.
type ClientConnection struct {
	// Kubeconfig is the path of a kubeconfig file. Empty means the service
	// account of the pod that the process runs in.
	Kubeconfig string `json:"kubeconfig,omitempty"`
	// QPS is how many requests a second are sent. Binding, as creating, is one
	// request a pod, so this caps how fast pods start. Below zero there is no
	// limit. Default: 5000.
	QPS float32 `json:"qps,omitempty"`
	// Burst is how many requests may go at once before QPS counts.
	// Default: 10000.
	Burst int32 `json:"burst,omitempty"`
}

// LeaderElection lets one of several replicas act. A replica that does not
// lead writes nothing.
type LeaderElection struct {
	// LeaderElect turns it on. Default: true.
	LeaderElect *bool `json:"leaderElect,omitempty"`
	// LeaseDuration is how long a silent leader is waited for. Default: 15s.
	LeaseDuration metav1.Duration `json:"leaseDuration,omitzero"`
	// RenewDeadline is how long a leader tries to renew before it stops.
	// Default: 10s.
	RenewDeadline metav1.Duration `json:"renewDeadline,omitzero"`
	// RetryPeriod is the time between two tries. Default: 2s.
	RetryPeriod metav1.Duration `json:"retryPeriod,omitzero"`
	// ResourceName of the Lease. Default: the name of the binary.
	ResourceName string `json:"resourceName,omitempty"`
	// ResourceNamespace of the Lease. Default: kube-system.
	ResourceNamespace string `json:"resourceNamespace,omitempty"`
}

// Serving is where health and metrics are served, over HTTPS. Everything but
// health asks the API server who the caller is and whether it may read.
type Serving struct {
	// BindAddress is the IP address to listen on. Default: 127.0.0.1, which
	// nothing outside of the machine reaches; probes of a pod need 0.0.0.0.
	BindAddress string `json:"bindAddress,omitempty"`
	// Port to listen on; 0 serves nothing. Default: 10263, of the scheduler.
	Port *int32 `json:"port,omitempty"`
	// CertFile and KeyFile are the server's certificate and key. Without them
	// one is made at every start.
	CertFile string `json:"certFile,omitempty"`
	KeyFile  string `json:"keyFile,omitempty"`
}

// Gangs bounds how long gangs wait and hold room.
type Gangs struct {
	// ExpectedMemberTimeout is how long room is held for a member that has no
	// pod yet, such as the executors of a driver that has just started.
	// Default: 5m.
	ExpectedMemberTimeout metav1.Duration `json:"expectedMemberTimeout,omitzero"`
	// ExpectedMemberBackOff is how long the next gangs of a namespace that expect members
	// wait once members of one never came in that time, and twice as long each further
	// time, up to half an hour. It ends when all have come who are expected of one of them.
	// Zero lets nobody wait. Default: 1m.
	ExpectedMemberBackOff *metav1.Duration `json:"expectedMemberBackOff,omitempty"`
	// BelowMinimum is what becomes of gangs that lose members while they run.
	BelowMinimum BelowMinimum `json:"belowMinimum,omitzero"`
	// MaxAttempts is how often a gang is planned anew after checks of its
	// members' own cycles have refused a node, before it waits for a change in
	// the cluster and lets others pass. Default: 10.
	MaxAttempts int32 `json:"maxAttempts,omitempty"`
	// RetryAfter is how long a gang waits after its Reservation could not be
	// stored. Default: 1s.
	RetryAfter metav1.Duration `json:"retryAfter,omitzero"`
	// PodEvents makes the events of kube-scheduler for each member as well, such as
	// Scheduled, besides those for the gang. They are the dearest thing that a
	// scheduler writes. Default: false.
	PodEvents bool `json:"podEvents,omitempty"`
}

// BelowMinimumPolicy is what becomes of a gang that falls below its minimum while it
// runs.
type BelowMinimumPolicy string

const (
	// ContinueBelowMinimum ends nobody's work: room is held for those that are lost,
	// and after the timeout the gang goes on with fewer.
	ContinueBelowMinimum BelowMinimumPolicy = "Continue"
	// WaitBelowMinimum holds room for those that are lost. A gang that is not whole again
	// when the timeout is over goes: its members are evicted.
	WaitBelowMinimum BelowMinimumPolicy = "Wait"
	// GoBelowMinimum lets the gang go at once.
	GoBelowMinimum BelowMinimumPolicy = "Go"
)

// BelowMinimum is what becomes of gangs that fall below their minimum while they run,
// unless they say otherwise by the annotations muster.sh/below-minimum and
// muster.sh/below-minimum-timeout. Evictions respect disruption budgets.
type BelowMinimum struct {
	// Policy is Continue, Wait or Go. Default: Continue.
	Policy BelowMinimumPolicy `json:"policy,omitempty"`
	// Timeout is how long room is held for a member that is lost. Default: 5m.
	Timeout metav1.Duration `json:"timeout,omitzero"`
}

// Strategy is a way to choose among nodes that have room.
type Strategy string

const (
	// Pack fills nodes, so that what stays free stays free in large pieces. Work
	// without devices keeps off nodes that have free ones.
	Pack Strategy = "Pack"
	// Spread keeps the members of a gang apart.
	Spread Strategy = "Spread"
	// Fragmentation keeps free GPUs, and other devices, usable for the work that
	// usually comes: with the CPU and memory that it needs beside them, in sets as
	// large as it asks for, and on the models that it insists on. It packs where
	// that makes no difference.
	Fragmentation Strategy = "Fragmentation"
)

// Placement tells onto which nodes members go where several have room. None of it
// decides whether a gang can start.
type Placement struct {
	// Strategy is Pack, Spread or Fragmentation. Default: Pack.
	Strategy Strategy `json:"strategy,omitempty"`
}

// Consolidation evicts members of gangs that have room elsewhere, where that lets a gang
// start that waits. Only members above their gang's minimum are moved, and gangs that
// allow it by the annotation muster.sh/movable.
type Consolidation struct {
	// Enabled turns it on. Default: false.
	Enabled bool `json:"enabled,omitempty"`
	// MaxMoves is how many pods are moved for one gang at most, up to 100. Default: 8.
	MaxMoves int32 `json:"maxMoves,omitempty"`
	// MaxTries bounds the time that is taken to look for something cheaper than what was
	// found first: the sets of pods that are looked at. Default: 2000.
	MaxTries *int32 `json:"maxTries,omitempty"`
	// After is how long a gang waits before anybody is moved for it, once it is first.
	// Default: 1m.
	After metav1.Duration `json:"after,omitzero"`
	// Cooldown is how long a pod runs at least before it is moved, and how long nobody is
	// moved again for a gang that could not start although others were. Default: 10m.
	Cooldown metav1.Duration `json:"cooldown,omitzero"`
	// Timeout is how long the pods may take to go before a move is given up. Default: 5m.
	Timeout metav1.Duration `json:"timeout,omitzero"`
}

// Reclaim evicts work for a gang that waits and has the better right to the room: what
// another queue has borrowed, and in its own queue members above their gang's minimum and
// gangs of a lower priority.
type Reclaim struct {
	// Enabled turns it off where it is false. Default: true.
	Enabled *bool `json:"enabled,omitempty"`
	// MaxEvictions is how many pods are evicted for one gang at most. Default: 5000.
	MaxEvictions int32 `json:"maxEvictions,omitempty"`
	// MaxTries bounds the time that is taken to look for something cheaper than what was
	// found first: the sets of pods that are looked at. Default: 2000.
	MaxTries *int32 `json:"maxTries,omitempty"`
	// After is how long a gang waits before anybody is evicted for it, once it is first.
	// Default: 1s.
	After metav1.Duration `json:"after,omitzero"`
	// MinRuntime is how long a pod runs at least before it is evicted. Default: 0s.
	MinRuntime metav1.Duration `json:"minRuntime,omitzero"`
	// Cooldown is how long nobody is evicted again for a gang that could not start although
	// others were. Default: 1m.
	Cooldown metav1.Duration `json:"cooldown,omitzero"`
	// Timeout is how long the pods may take to go before what is left of them is spared.
	// Default: 5m.
	Timeout metav1.Duration `json:"timeout,omitzero"`
}

// Backfill lets gangs start before the first one that waits for room: those that will have
// ended when that is expected to start, and those that leave it its room.
type Backfill struct {
	// Depth is how many gangs behind the first are looked at, once a second; with 0 none
	// starts before it. Default: 100.
	Depth *int32 `json:"depth,omitempty"`
}

// EmptyPolicy is what is done with a PodGroup of Volcano's that no pod names yet.
type EmptyPolicy string

const (
	// IgnoreEmpty leaves it to the scheduler of the pods to come, which may be
	// another.
	IgnoreEmpty EmptyPolicy = "Ignore"
	// EnqueueEmpty gives it the phase Inqueue. Volcano's job controller, and
	// operators that were written for Volcano, create no pod before.
	EnqueueEmpty EmptyPolicy = "Enqueue"
)

// PodGroups tells which PodGroups are this scheduler's. Those that a pod of its
// own names always are.
type PodGroups struct {
	// Empty is what is done with a PodGroup of Volcano's that no pod names yet:
	// Ignore, or Enqueue where no other scheduler of the cluster serves them.
	// Default: Ignore.
	Empty EmptyPolicy `json:"empty,omitempty"`
}

// Spark tells how Spark applications are read.
type Spark struct {
	// MinExecutorsFloor is the least number of executors that start together
	// with their driver, whatever dynamic allocation asks for. Default: 1.
	MinExecutorsFloor *int32 `json:"minExecutorsFloor,omitempty"`
	// ConfigMapTimeout is how long a driver waits for the ConfigMap that holds
	// its properties, before it is told that it can't start. Default: 30s.
	ConfigMapTimeout metav1.Duration `json:"configMapTimeout,omitzero"`
	// SettleTime is how long no further executor has to come until the
	// executors of an application without a driver of ours, which says nothing
	// of its size, are taken to be the whole gang. Default: 2s.
	SettleTime metav1.Duration `json:"settleTime,omitzero"`
}

// Record keeps what the scheduler is told and decides in a file, for a replay elsewhere.
// It names all work of the cluster.
type Record struct {
	// File is made anew each time that this replica comes to lead; the four before are
	// kept, with a suffix from .1 on. Default: none, and nothing is recorded.
	File string `json:"file,omitempty"`
	// MaxSize is that of the file. What comes when it is full is not recorded: a replay
	// needs the beginning. Default: 256Mi.
	MaxSize resource.Quantity `json:"maxSize,omitzero"`
}
