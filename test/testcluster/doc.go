// Package testcluster starts the clusters that the stories in test/ are played
// on: a real control plane with simulated nodes, one scheduler on trial, and the
// API server's audit log, from which [audit] judges it afterwards.
package testcluster
