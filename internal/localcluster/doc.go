// Package localcluster runs a real Kubernetes on one machine: etcd, API server
// and controller manager, any number of schedulers, nodes simulated by KWOK,
// and, with root on Linux, real nodes.
//
//	cluster, err := localcluster.Up(ctx, localcluster.Spec{SimNodes: 3})
//	defer cluster.Close()
//	pods, err := cluster.Client().CoreV1().Pods("default").List(ctx, …)
//
// Every component is a child process of the caller, so that a test can kill
// one, and all of them die with the caller even when it is killed itself. The
// programs are commands of the one binary muster-local, which is built on first
// use where it is not given; this package only imports client libraries.
package localcluster
