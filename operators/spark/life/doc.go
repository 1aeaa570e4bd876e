// Package life decides what happens to a SparkApplication next, from what is seen of it
// and its pods: when it is submitted, restarted, suspended, ended and deleted, and what
// its status says. The states are those of Kubeflow's Spark operator.
//
// There is one driver at a time. A submission is written into the status before
// anything is created, has the same names however often it is tried, and another one
// begins only once the driver of the last is gone.
//
// The package is pure: time is passed in, and what is to be done is handed out.
package life
