// Package resource holds integer resource vectors: what a pod asks for, what a
// node has, what is left. It knows no Kubernetes type; units are those that
// kube-scheduler itself counts in, so that both books agree to the last byte.
package resource

import (
	"fmt"
	"slices"
	"strings"
)

// Names of the resources that every vector counts in a field of its own.
const (
	CPU     = "cpu"
	Memory  = "memory"
	Storage = "ephemeral-storage"
	Pods    = "pods"
)

// IsDevice says whether a resource is of a device plugin: those names have a domain, and
// those of huge pages and volumes have not.
func IsDevice(name string) bool { return strings.IndexByte(name, '/') > 0 }

// Vector is an amount of each resource. The zero Vector is empty. A Vector is a
// value: no method changes its receiver, and Extra is never written in place,
// so copies may share it.
type Vector struct {
	// MilliCPU is in thousandths of a core.
	MilliCPU int64 `json:"milliCPU,omitempty"`
	// Memory is in bytes.
	Memory int64 `json:"memory,omitempty"`
	// Storage is local ephemeral storage, in bytes.
	Storage int64 `json:"storage,omitempty"`
	// Pods counts pods: 1 in the request of a pod.
	Pods int64 `json:"pods,omitempty"`
	// Extra holds extended resources and huge pages in their own unit, sorted
	// by name and without zero amounts.
	Extra []Amount `json:"extra,omitempty"`
}

// Amount is how much there is of one named resource.
type Amount struct {
	Name  string `json:"name"`
	Value int64  `json:"value"`
}

// Of builds a vector from amounts by name, CPU in thousandths of a core.
func Of(amounts map[string]int64) Vector {
	var v Vector
	for name, value := range amounts {
		v = v.With(name, value)
	}
	return v
}

// With returns v with the amount of one resource set.
func (v Vector) With(name string, value int64) Vector {
	switch name {
	case CPU:
		v.MilliCPU = value
	case Memory:
		v.Memory = value
	case Storage:
		v.Storage = value
	case Pods:
		v.Pods = value
	default:
		v.Extra = withExtra(v.Extra, name, value)
	}
	return v
}

func withExtra(extra []Amount, name string, value int64) []Amount {
	i, found := slices.BinarySearchFunc(extra, name, func(a Amount, n string) int { return strings.Compare(a.Name, n) })
	switch {
	case found && value == 0:
		return slices.Concat(extra[:i], extra[i+1:])
	case found:
		out := slices.Clone(extra)
		out[i].Value = value
		return out
	case value == 0:
		return extra
	default:
		return slices.Concat(extra[:i], []Amount{{Name: name, Value: value}}, extra[i:])
	}
}

// Get returns the amount of one resource, zero if it is not counted.
func (v Vector) Get(name string) int64 {
	switch name {
	case CPU:
		return v.MilliCPU
	case Memory:
		return v.Memory
	case Storage:
		return v.Storage
	case Pods:
		return v.Pods
	}
	for _, a := range v.Extra {
		if a.Name == name {
			return a.Value
		}
	}
	return 0
}

// Each calls f for every resource whose amount is not zero, in a fixed order.
func (v Vector) Each(f func(name string, value int64)) {
	for _, a := range [...]Amount{{CPU, v.MilliCPU}, {Memory, v.Memory}, {Storage, v.Storage}, {Pods, v.Pods}} {
		if a.Value != 0 {
			f(a.Name, a.Value)
		}
	}
	for _, a := range v.Extra {
		f(a.Name, a.Value)
	}
}

// Add returns v + w.
func (v Vector) Add(w Vector) Vector { return v.plus(w, 1) }

// Sub returns v − w; amounts may become negative.
func (v Vector) Sub(w Vector) Vector { return v.plus(w, -1) }

// Scale returns v taken k times.
func (v Vector) Scale(k int64) Vector {
	if k == 0 {
		return Vector{}
	}
	out := Vector{MilliCPU: v.MilliCPU * k, Memory: v.Memory * k, Storage: v.Storage * k, Pods: v.Pods * k}
	if len(v.Extra) > 0 {
		out.Extra = slices.Clone(v.Extra)
		for i := range out.Extra {
			out.Extra[i].Value *= k
		}
	}
	return out
}

func (v Vector) plus(w Vector, sign int64) Vector {
	out := Vector{
		MilliCPU: v.MilliCPU + sign*w.MilliCPU,
		Memory:   v.Memory + sign*w.Memory,
		Storage:  v.Storage + sign*w.Storage,
		Pods:     v.Pods + sign*w.Pods,
		Extra:    v.Extra,
	}
	if len(w.Extra) > 0 {
		out.Extra = mergeExtra(v.Extra, w.Extra, sign)
	}
	return out
}

func mergeExtra(a, b []Amount, sign int64) []Amount {
	out := make([]Amount, 0, len(a)+len(b))
	for len(a) > 0 || len(b) > 0 {
		switch {
		case len(b) == 0 || (len(a) > 0 && a[0].Name < b[0].Name):
			out, a = append(out, a[0]), a[1:]
		case len(a) == 0 || b[0].Name < a[0].Name:
			out, b = append(out, Amount{b[0].Name, sign * b[0].Value}), b[1:]
		default:
			if sum := a[0].Value + sign*b[0].Value; sum != 0 {
				out = append(out, Amount{a[0].Name, sum})
			}
			a, b = a[1:], b[1:]
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// Fits says whether v can be taken from free. A resource that v does not ask
// for does not matter, even where free is overdrawn: this is kube-scheduler's
// own rule.
func (v Vector) Fits(free Vector) bool {
	return v.Times(free, 1) == 1
}

// Times says how often v can be taken from free, at most limit.
func (v Vector) Times(free Vector, limit int64) int64 {
	limit = atMost(limit, v.MilliCPU, free.MilliCPU)
	limit = atMost(limit, v.Memory, free.Memory)
	limit = atMost(limit, v.Storage, free.Storage)
	limit = atMost(limit, v.Pods, free.Pods)
	for _, a := range v.Extra {
		limit = atMost(limit, a.Value, free.Get(a.Name))
	}
	return max(limit, 0)
}

func atMost(limit, ask, free int64) int64 {
	switch {
	case ask <= 0:
		return limit
	case free < ask:
		return 0
	}
	return min(limit, free/ask)
}

// Short returns, by resource, how much free lacks for v. It is empty exactly
// when v fits.
func (v Vector) Short(free Vector) Vector {
	var short Vector
	v.Each(func(name string, ask int64) {
		if lack := ask - free.Get(name); ask > 0 && lack > 0 {
			short = short.With(name, lack)
		}
	})
	return short
}

// IsZero says whether every amount is zero.
func (v Vector) IsZero() bool {
	return v.MilliCPU == 0 && v.Memory == 0 && v.Storage == 0 && v.Pods == 0 && len(v.Extra) == 0
}

// Equal says whether every amount of v and w is the same.
func (v Vector) Equal(w Vector) bool {
	return v.MilliCPU == w.MilliCPU && v.Memory == w.Memory && v.Storage == w.Storage && v.Pods == w.Pods &&
		slices.Equal(v.Extra, w.Extra)
}

// String renders v as people write quantities: "cpu=1500m memory=896Mi".
func (v Vector) String() string {
	var parts []string
	v.Each(func(name string, value int64) { parts = append(parts, name+"="+Format(name, value)) })
	if len(parts) == 0 {
		return "nothing"
	}
	return strings.Join(parts, " ")
}

// Format renders an amount of a resource in its usual unit.
func Format(name string, value int64) string {
	switch {
	case name == CPU && value%1000 == 0:
		return fmt.Sprint(value / 1000)
	case name == CPU:
		return fmt.Sprintf("%dm", value)
	case name == Memory || name == Storage || strings.HasPrefix(name, "hugepages-"):
		return formatBytes(value)
	default:
		return fmt.Sprint(value)
	}
}

func formatBytes(value int64) string {
	for _, unit := range []struct {
		suffix string
		size   int64
	}{{"Ti", 1 << 40}, {"Gi", 1 << 30}, {"Mi", 1 << 20}, {"Ki", 1 << 10}} {
		if value != 0 && value%unit.size == 0 {
			return fmt.Sprintf("%d%s", value/unit.size, unit.suffix)
		}
	}
	if value >= 10<<20 {
		// Not a whole number of any unit: a person wants the magnitude.
		return fmt.Sprintf("%dMi", value>>20)
	}
	return fmt.Sprint(value)
}
