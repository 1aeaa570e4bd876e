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
	// or wait. It is read from the PodGroup, or from the driver pod of a Spark
	// application (spark.kubernetes.driver.annotation.muster.sh/required-topology).
	RequiredTopologyAnnotation = "muster.sh/required-topology"
	// PreferredTopologyAnnotation is the same for members that go elsewhere, or no
	// further than what is required, where there is no room for them together.
	PreferredTopologyAnnotation = "muster.sh/preferred-topology"

	// QueueLabel names the queue that is charged for a Spark application. It
	// is read from the driver pod (spark.kubernetes.driver.label.muster.sh/queue),
	// in client mode from the executors. A PodGroup names its queue itself.
	QueueLabel = "muster.sh/queue"

	// ManagedByLabel marks the objects that Muster makes.
	ManagedByLabel = "app.kubernetes.io/managed-by"
	// ManagedBy is the value of ManagedByLabel.
	ManagedBy = "muster"
)
