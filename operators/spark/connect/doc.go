// Package connect tells what becomes of a SparkConnect: a SparkApplication whose program
// is Spark's Connect server, a Service for its clients, and a status. As an application
// of Spark's like any other, the server starts together with its executors, waits with
// them, and is started again by its restart policy. Kubeflow's operator starts the server
// as a pod of its own, whose executors nobody knows before it makes them.
//
// The package is pure: time is passed in, and what is to be done is handed out.
package connect
