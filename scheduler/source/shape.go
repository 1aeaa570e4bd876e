package source

import (
	"maps"
	"slices"
	"strconv"

	v1 "k8s.io/api/core/v1"

	"muster.sh/muster/scheduler/gang"
)

// ShapeOf is all of a pod that placing looks at.
func ShapeOf(p *v1.Pod) gang.Shape {
	return gang.Shape{
		Request:     podRequest(p),
		Affinity:    affinity(&p.Spec),
		Tolerations: tolerations(p.Spec.Tolerations),
		HostPorts:   hostPorts(&p.Spec),
		Aligned:     Demand(p),
		Opaque:      opaque(&p.Spec),
	}
}

// nowhere is a requirement that no node meets.
var nowhere = gang.Requirement{Key: "metadata.name", Operator: gang.In, Field: true}

// affinity joins node selector and required node affinity into alternatives.
// An affinity whose terms are all empty admits no node: that is Kubernetes'
// own reading of it.
func affinity(spec *v1.PodSpec) []gang.Term {
	var selector gang.Term
	for _, key := range slices.Sorted(maps.Keys(spec.NodeSelector)) {
		selector = append(selector, gang.Requirement{Key: key, Operator: gang.In, Values: []string{spec.NodeSelector[key]}})
	}
	required := requiredNodeAffinity(spec)
	if required == nil {
		if selector == nil {
			return nil
		}
		return []gang.Term{selector}
	}
	var terms []gang.Term
	for _, t := range required.NodeSelectorTerms {
		if len(t.MatchExpressions)+len(t.MatchFields) > 0 {
			terms = append(terms, slices.Concat(selector, requirements(t.MatchExpressions, false), requirements(t.MatchFields, true)))
		}
	}
	if terms == nil {
		return []gang.Term{{nowhere}}
	}
	return terms
}

func requiredNodeAffinity(spec *v1.PodSpec) *v1.NodeSelector {
	if spec.Affinity == nil || spec.Affinity.NodeAffinity == nil {
		return nil
	}
	return spec.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution
}

func requirements(in []v1.NodeSelectorRequirement, field bool) gang.Term {
	out := make(gang.Term, len(in))
	for i, r := range in {
		out[i] = gang.Requirement{Key: r.Key, Operator: gang.Operator(r.Operator), Values: r.Values, Field: field}
	}
	return out
}

// tolerations leaves out those that only concern taints that keep no pod off a
// node, and comparisons of numbers, which are switched off by default. How long
// a NoExecute taint is tolerated does not matter here.
func tolerations(in []v1.Toleration) []gang.Toleration {
	var out []gang.Toleration
	for _, t := range in {
		if t.Effect == v1.TaintEffectPreferNoSchedule {
			continue
		}
		o := gang.Toleration{Key: t.Key, Effect: gang.Effect(t.Effect)}
		switch t.Operator {
		case v1.TolerationOpExists:
			o.AnyValue = true
		case v1.TolerationOpEqual, "":
			o.Value = t.Value
		default:
			continue
		}
		out = append(out, o)
	}
	return out
}

// hostPorts lists the ports that a pod takes on its node for all of its life.
func hostPorts(spec *v1.PodSpec) []string {
	var out []string
	add := func(c *v1.Container) {
		for _, p := range c.Ports {
			if p.HostPort > 0 {
				out = append(out, hostPort(p))
			}
		}
	}
	for i := range spec.InitContainers {
		if c := &spec.InitContainers[i]; c.RestartPolicy != nil && *c.RestartPolicy == v1.ContainerRestartPolicyAlways {
			add(c)
		}
	}
	for i := range spec.Containers {
		add(&spec.Containers[i])
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func hostPort(p v1.ContainerPort) string {
	protocol, address := p.Protocol, p.HostIP
	if protocol == "" {
		protocol = v1.ProtocolTCP
	}
	if address == "" {
		address = "0.0.0.0"
	}
	return string(protocol) + "/" + address + "/" + strconv.Itoa(int(p.HostPort))
}

// opaque says whether a pod has constraints that a Shape can't express.
func opaque(spec *v1.PodSpec) bool {
	if len(spec.ResourceClaims) > 0 {
		return true
	}
	if a := spec.Affinity; a != nil {
		if a.PodAffinity != nil && len(a.PodAffinity.RequiredDuringSchedulingIgnoredDuringExecution) > 0 {
			return true
		}
		if a.PodAntiAffinity != nil && len(a.PodAntiAffinity.RequiredDuringSchedulingIgnoredDuringExecution) > 0 {
			return true
		}
	}
	return slices.ContainsFunc(spec.TopologySpreadConstraints, func(c v1.TopologySpreadConstraint) bool {
		return c.WhenUnsatisfiable == v1.DoNotSchedule
	}) || slices.ContainsFunc(spec.Volumes, bindsToNodes)
}

// bindsToNodes says whether a volume may be usable on some nodes only, or be
// limited in number per node.
func bindsToNodes(v v1.Volume) bool {
	s := v.VolumeSource
	return s.PersistentVolumeClaim != nil || s.Ephemeral != nil || s.CSI != nil || s.ISCSI != nil || s.RBD != nil ||
		s.GCEPersistentDisk != nil || s.AWSElasticBlockStore != nil || s.AzureDisk != nil || s.Cinder != nil
}
