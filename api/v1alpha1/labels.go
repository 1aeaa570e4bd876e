package v1alpha1

const (
	// MinExecutorsAnnotation says how many executors of a Spark application
	// start together with its driver, in place of the number that follows from
	// the application's own settings. It is a whole number from 1 to the most
	// executors that the application may have. In cluster mode it is read from the driver pod
	// (spark.kubernetes.driver.annotation.muster.sh/min-executors), in client
	// mode, where the driver is not the scheduler's, from the executors
	// (spark.kubernetes.executor.annotation.muster.sh/min-executors).
	MinExecutorsAnnotation = "muster.sh/min-executors"

	// RequiredTopologyAnnotation keeps all members of a gang together: its value is
	// the key of a node label, and all of them run on nodes with one value of it,
	// or wait. It is read from the PodGroup, from the driver pod of a Spark
	// application (spark.kubernetes.driver.annotation.muster.sh/required-topology),
	// and of gangs that have neither from their pods.
	RequiredTopologyAnnotation = "muster.sh/required-topology"
	// PreferredTopologyAnnotation is the same for members that go elsewhere, or no
	// further than what is required, where there is no room for them together.
	PreferredTopologyAnnotation = "muster.sh/preferred-topology"

	// MovableAnnotation says what of a gang may be evicted to let others start, as long
	// as there is room for it elsewhere, where the configuration allows that at all. It
	// is read where topologies are. Without it these are members above the gang's
	// minimum, with MovableWhole all of its members together as well, with MovableNot
	// none.
	MovableAnnotation = "muster.sh/movable"
	// MovableWhole is a value of MovableAnnotation.
	MovableWhole = "true"
	// MovableNot is the other.
	MovableNot = "false"

	// BelowMinimumAnnotation says what becomes of a gang that falls below its minimum
	// while it runs. With "continue" room is held for those that are lost, and after a
	// time the gang goes on with fewer; with "wait" the gang goes then, and with "go" at
	// once: all its members are evicted, and what comes after them starts as a whole. It is
	// read from where RequiredTopologyAnnotation is.
	BelowMinimumAnnotation = "muster.sh/below-minimum"
	// BelowMinimumTimeoutAnnotation says for how long room is held for members that are
	// lost, as "90s" or "10m".
	BelowMinimumTimeoutAnnotation = "muster.sh/below-minimum-timeout"

	// RuntimeAnnotation says how long a gang runs at most, as "90s" or "12h". Others may
	// start before one that waits for room if they will have ended when that is expected to
	// start. Who runs for longer than he has said, and holds up another by that, may be
	// evicted. It is read from where RequiredTopologyAnnotation is. Where there is none, the
	// activeDeadlineSeconds of these pods count, but not those of a PodGroup's.
	RuntimeAnnotation = "muster.sh/runtime"
	// NonPreemptibleAnnotation says with "true" that nobody may take what the gang needs of
	// its minimum: no gang of another queue, none with a higher priority, and nobody for whom
	// it would be moved. Its queue, or one above, must grant that, by
	// QueueMaxNonPreemptibleAnnotation. It is read from where RequiredTopologyAnnotation is.
	NonPreemptibleAnnotation = "muster.sh/non-preemptible"

	// ApplicationAnnotation names what runs again and again: how long earlier runs in the
	// namespace took tells how long the next one will. It is read from where
	// RuntimeAnnotation is. Without it the label spark-app-name counts.
	ApplicationAnnotation = "muster.sh/application"

	// GangMembersAnnotation makes the pods that bear it a gang together with the
	// others of their Job, JobSet, group of a LeaderWorkerSet, or other controller.
	// It says how many of them start together: a whole number from 1 to 100,000,
	// the same in all pod templates of one gang.
	GangMembersAnnotation = "muster.sh/gang-members"

	// QueueLabel names the queue that is charged. Of a Spark application it is read
	// from the driver pod (spark.kubernetes.driver.label.muster.sh/queue), in client
	// mode from the executors; of a PodGroup from its object, but Volcano's has a
	// field for it; of other gangs from their pods. On a Namespace it names the queue of
	// all gangs there that name none, and gives them the right to it. Where the label is
	// missing, Volcano's annotation scheduling.volcano.sh/queue-name has its place.
	QueueLabel = "muster.sh/queue"
	// QueueNamespacesAnnotation on a Queue lists the namespaces that may charge it and
	// the queues below it, separated by commas. Without it all may that may charge the
	// queue above, and at the top all.
	QueueNamespacesAnnotation = "muster.sh/namespaces"
	// QueueMaxPriorityAnnotation on a Queue is the highest priority that counts in it and
	// in the queues below it: pods of a higher one are served as if they had this.
	QueueMaxPriorityAnnotation = "muster.sh/max-priority"
	// QueueMaxExpectedAnnotation on a Queue bounds the room that is held for members which
	// have no pod yet, in it and the queues below it, as "cpu=10, memory=40Gi". Gangs that
	// would need more wait with their start. A resource that is not named has no limit.
	QueueMaxExpectedAnnotation = "muster.sh/max-expected"
	// QueueMaxNonPreemptibleAnnotation on a Queue lets gangs in it, and in the queues below it,
	// be non-preemptible that ask for it, as long as all of them together have no more than
	// these resources, as "cpu=10, memory=40Gi", and no queue more than it deserves. Without it
	// here or above no gang is.
	QueueMaxNonPreemptibleAnnotation = "muster.sh/max-non-preemptible"

	// RestartsAnnotation is what Muster remembers on a TFJob of the pods that it has
	// replaced because they failed: how many there were, for its backoffLimit.
	RestartsAnnotation = "muster.sh/restarts"

	// InfrastructureRetriesAnnotation on a SparkApplication is how many times it is run
	// again after its driver was evicted, preempted, deleted or gone with its node, at
	// no cost of its own retries: a whole number from 0 to 1,000.
	InfrastructureRetriesAnnotation = "muster.sh/infrastructure-retries"
	// LossesAnnotation is what Muster remembers on a SparkApplication of such runs.
	LossesAnnotation = "muster.sh/losses"

	// ProgressAnnotation is on a SparkApplication what its driver has told last of how far
	// it has come, such as "jobs 1/2, stages 3/8, tasks 120/400".
	ProgressAnnotation = "muster.sh/progress"

	// UnreadableAnnotation tells of an object in a controller's view what of it doesn't
	// fit its type, and was left out. It is never stored.
	UnreadableAnnotation = "muster.sh/unreadable"

	// ConnectGenerationAnnotation is on the SparkApplication of a SparkConnect the
	// generation of the SparkConnect that it was made of.
	ConnectGenerationAnnotation = "muster.sh/connect-generation"

	// GangLabel is on objects that ask cluster autoscalers for the room of a gang. As
	// an annotation it has the gang's name, as a label a digest of it.
	GangLabel = "muster.sh/gang"

	// ManagedByLabel marks the objects that Muster makes.
	ManagedByLabel = "app.kubernetes.io/managed-by"
	// ManagedBy is the value of ManagedByLabel.
	ManagedBy = "muster"
)
