package localcluster

import (
	"fmt"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation"
)

// Shape is what a simulated node offers.
type Shape struct {
	// Resources is the node's capacity, all of it allocatable.
	Resources corev1.ResourceList `json:"resources"`
	// Zones is the number of NUMA zones the node claims to have; at least 1.
	Zones int `json:"zones"`
}

// maxPods is the pods a simulated node takes unless its shape says otherwise.
// It is high so that tests meet CPU and memory before they meet it.
const maxPods = 1000

// DefaultShape is a common two-socket server without GPUs.
func DefaultShape() Shape {
	shape, err := ParseShape("cpu=32,memory=256Gi")
	if err != nil {
		panic(err) // a constant that does not parse is a bug
	}
	return shape
}

// ParseShape reads a shape such as "cpu=32,memory=256Gi,nvidia.com/gpu=8,zones=2".
// cpu and memory are required; any other name but zones is a resource.
func ParseShape(text string) (Shape, error) {
	shape := Shape{Resources: corev1.ResourceList{}, Zones: 1}
	for _, field := range strings.Split(text, ",") {
		name, value, found := strings.Cut(strings.TrimSpace(field), "=")
		if !found || name == "" {
			return Shape{}, fmt.Errorf("node shape: %q is not NAME=QUANTITY", field)
		}
		if name == "zones" {
			zones, err := strconv.Atoi(value)
			if err != nil || zones < 1 || zones > 64 {
				return Shape{}, fmt.Errorf("node shape: zones=%s must be a number from 1 to 64", value)
			}
			shape.Zones = zones
			continue
		}
		if errs := validation.IsQualifiedName(name); len(errs) > 0 {
			return Shape{}, fmt.Errorf("node shape: %q is no resource name: %s", name, strings.Join(errs, "; "))
		}
		quantity, err := resource.ParseQuantity(value)
		if err != nil || quantity.Sign() < 0 {
			return Shape{}, fmt.Errorf("node shape: %s=%s must be a quantity such as 32, 500m or 256Gi, not below zero", name, value)
		}
		if _, twice := shape.Resources[corev1.ResourceName(name)]; twice {
			return Shape{}, fmt.Errorf("node shape: %s is given twice", name)
		}
		shape.Resources[corev1.ResourceName(name)] = quantity
	}
	for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
		if shape.Resources.Name(name, resource.DecimalSI).Sign() <= 0 {
			return Shape{}, fmt.Errorf("node shape: %s must be given and above zero", name)
		}
	}
	if _, given := shape.Resources[corev1.ResourcePods]; !given {
		shape.Resources[corev1.ResourcePods] = *resource.NewQuantity(maxPods, resource.DecimalSI)
	}
	return shape, nil
}
