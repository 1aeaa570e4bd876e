package effects

import (
	"slices"
	"strconv"
	"strings"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/gang"
	own "muster.sh/muster/scheduler/resource"
)

// noImage is what the containers of a template run: nothing is ever made from it.
const noImage = "registry.k8s.io/pause"

// template says what one of those members needs that lack room: it is like a pod of
// them, or, where none has one, like what is expected of it.
func (a *asks) template(l *core.Lack) *v1.PodTemplateSpec {
	for _, id := range l.Pods {
		if p := a.Pod(id); p != nil {
			// Members may have to stay away from each other by their labels.
			return &v1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: p.Labels}, Spec: needsOf(&p.Spec)}
		}
	}
	return &v1.PodTemplateSpec{Spec: needsOfShape(&l.Shape)}
}

// needsOf keeps of a pod what decides on which nodes it may run. What it runs there,
// and with which secrets, is nobody else's to read.
func needsOf(s *v1.PodSpec) v1.PodSpec {
	out := v1.PodSpec{
		Containers: containers(s.Containers), InitContainers: containers(s.InitContainers), Resources: s.Resources.DeepCopy(),
		NodeSelector: s.NodeSelector, Affinity: s.Affinity, Tolerations: s.Tolerations,
		TopologySpreadConstraints: s.TopologySpreadConstraints,
		RuntimeClassName:          s.RuntimeClassName, Overhead: s.Overhead,
		PriorityClassName: s.PriorityClassName, Priority: s.Priority,
	}
	for _, v := range s.Volumes {
		if v.PersistentVolumeClaim != nil {
			out.Volumes = append(out.Volumes, v)
		}
	}
	return out
}

func containers(in []v1.Container) (out []v1.Container) {
	for _, c := range in {
		r := *c.Resources.DeepCopy()
		r.Claims = nil // those of devices are not the template's to make
		out = append(out, v1.Container{Name: c.Name, Image: noImage, RestartPolicy: c.RestartPolicy, Resources: r, Ports: onHost(c.Ports)})
	}
	return out
}

func onHost(in []v1.ContainerPort) (out []v1.ContainerPort) {
	for _, p := range in {
		if p.HostPort > 0 {
			out = append(out, p)
		}
	}
	return out
}

// needsOfShape is a pod of one container that needs what a shape says.
func needsOfShape(s *gang.Shape) v1.PodSpec {
	c := v1.Container{Name: "member", Image: noImage, Resources: resourcesOf(s.Request)}
	for _, port := range s.HostPorts {
		c.Ports = append(c.Ports, hostPort(port))
	}
	spec := v1.PodSpec{Containers: []v1.Container{c}, Tolerations: tolerations(s.Tolerations)}
	if len(s.Affinity) > 0 {
		spec.Affinity = &v1.Affinity{NodeAffinity: &v1.NodeAffinity{
			RequiredDuringSchedulingIgnoredDuringExecution: &v1.NodeSelector{NodeSelectorTerms: terms(s.Affinity)},
		}}
	}
	return spec
}

// resourcesOf requests what a vector has. Of devices and huge pages as much is the
// limit: Kubernetes takes no pod that requests less.
func resourcesOf(v own.Vector) v1.ResourceRequirements {
	r := v1.ResourceRequirements{Requests: amounts(v)}
	delete(r.Requests, v1.ResourcePods)
	for name, amount := range r.Requests {
		switch name {
		case v1.ResourceCPU, v1.ResourceMemory, v1.ResourceEphemeralStorage:
			continue
		}
		if r.Limits == nil {
			r.Limits = v1.ResourceList{}
		}
		r.Limits[name] = amount
	}
	return r
}

// amounts is what a vector has, in Kubernetes' words.
func amounts(v own.Vector) v1.ResourceList {
	list := v1.ResourceList{}
	v.Each(func(name string, value int64) {
		amount := resource.NewQuantity(value, resource.DecimalSI)
		switch name {
		case own.CPU:
			amount = resource.NewMilliQuantity(value, resource.DecimalSI)
		case own.Memory, own.Storage:
			amount = resource.NewQuantity(value, resource.BinarySI)
		}
		list[v1.ResourceName(name)] = *amount
	})
	return list
}

// hostPort reads a port as a Shape has it, "protocol/address/port".
func hostPort(s string) v1.ContainerPort {
	parts := strings.SplitN(s, "/", 3)
	if len(parts) != 3 {
		return v1.ContainerPort{}
	}
	n, _ := strconv.ParseInt(parts[2], 10, 32) // written by who made the Shape
	return v1.ContainerPort{Protocol: v1.Protocol(parts[0]), HostIP: parts[1], HostPort: int32(n), ContainerPort: int32(n)}
}

func tolerations(in []gang.Toleration) (out []v1.Toleration) {
	for _, t := range in {
		o := v1.Toleration{Key: t.Key, Operator: v1.TolerationOpEqual, Value: t.Value, Effect: v1.TaintEffect(t.Effect)}
		if t.AnyValue {
			o.Operator = v1.TolerationOpExists
		}
		out = append(out, o)
	}
	return out
}

func terms(in []gang.Term) (out []v1.NodeSelectorTerm) {
	for _, term := range in {
		var t v1.NodeSelectorTerm
		for _, r := range term {
			o := v1.NodeSelectorRequirement{Key: r.Key, Operator: v1.NodeSelectorOperator(r.Operator), Values: slices.Clone(r.Values)}
			if r.Field {
				t.MatchFields = append(t.MatchFields, o)
			} else {
				t.MatchExpressions = append(t.MatchExpressions, o)
			}
		}
		out = append(out, t)
	}
	return out
}
