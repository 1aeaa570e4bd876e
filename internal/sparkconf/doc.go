// Package sparkconf computes what a Spark application will ask of a cluster
// before its driver has run: how many executors it needs and what their pods
// look like.
//
// It is Spark's own arithmetic (lines 3.5 and 4.0 to 4.3), restated. The input
// is what spark-submit leaves in the cluster: the driver pod, the
// spark.properties text of the ConfigMap that the pod mounts and, where there
// is one, the executor pod template. The package is pure: it reads no cluster,
// no clock and no environment, so the same input gives the same answer.
//
// Everything it reads is written by users. A value that Spark or the API server
// would refuse, or a shape that no machine could hold, is reported as a
// [*KeyError] that names the key and the cure.
//
// Three things can't be known before the driver runs, and are left out:
// settings that the application's code makes, stage-level resource profiles
// other than the default one, and what user-supplied feature steps do to the
// executor pods. Volumes from spark.kubernetes.executor.volumes.* are left out
// too, as they change no request.
package sparkconf
