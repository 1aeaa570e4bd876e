// Package source turns Kubernetes objects into the events of core: nodes, the
// pods that take room, and the gangs that pods belong to. Each way to declare a
// gang has an adapter: Spark applications, the PodGroups of three APIs, and Jobs,
// JobSets and LeaderWorkerSets by annotation. Nothing behind this package knows
// one from the other.
//
// Files watch.go, informers.go, customwatch.go and read.go do the I/O. Everything else is pure:
// a collector takes objects in and gives events and errands out, so that it is
// tested without a cluster and without a clock.
package source
