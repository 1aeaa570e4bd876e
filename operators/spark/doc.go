// Package spark runs SparkApplications, as Kubeflow's Spark operator does: it observes
// an application with its pods, decides what comes next (package life), and carries it
// out. What a submission creates is planned by package plan.
//
// It keeps nothing in mind between two steps, and may be killed at any of them.
package spark
