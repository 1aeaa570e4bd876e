package main

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// smallestNode returns the least allocatable CPU (in thousandths) and memory (in
// bytes) that any node has.
func smallestNode(ctx context.Context, client kubernetes.Interface) (milliCPU, memory int64, err error) {
	nodes, err := client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return 0, 0, fmt.Errorf("list nodes: %w", err)
	}
	if len(nodes.Items) == 0 {
		return 0, 0, errors.New("the cluster has no nodes")
	}
	for i, node := range nodes.Items {
		cpu, mem := node.Status.Allocatable[corev1.ResourceCPU], node.Status.Allocatable[corev1.ResourceMemory]
		if i == 0 || cpu.MilliValue() < milliCPU {
			milliCPU = cpu.MilliValue()
		}
		if i == 0 || mem.Value() < memory {
			memory = mem.Value()
		}
	}
	return milliCPU, memory, nil
}
