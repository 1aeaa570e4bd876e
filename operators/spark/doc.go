// Package spark runs SparkApplications, as Kubeflow's Spark operator does: it observes
// an application with its pods, decides what comes next (package life), and carries it
// out. What a submission creates is planned by package plan. When a
// ScheduledSparkApplication makes a SparkApplication is decided by package schedule, and
// which one a SparkConnect makes by package connect.
//
// It keeps nothing in mind between two steps, and may be killed at any of them.
package spark

// The definitions of SparkApplication, ScheduledSparkApplication and SparkConnect are generated from
// upstream's types, with the pods of the Kubernetes that Muster is built on. With
// descriptions they would be too large for kubectl apply.
//
//go:generate go tool -modfile=../../tools/controller-gen/go.mod controller-gen crd:crdVersions=v1,generateEmbeddedObjectMeta=true,maxDescLen=0 paths=github.com/kubeflow/spark-operator/v2/api/... output:crd:dir=../../charts/muster/crds
