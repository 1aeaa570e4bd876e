package resource_test

import (
	"encoding/json"
	"testing"

	"pgregory.net/rapid"

	"muster.sh/muster/scheduler/resource"
)

const gpu = "nvidia.com/gpu"

func v(amounts map[string]int64) resource.Vector { return resource.Of(amounts) }

func TestTimesIsHowOftenOneVectorFitsIntoAnother(t *testing.T) {
	for name, c := range map[string]struct {
		ask, free resource.Vector
		limit     int64
		want      int64
	}{
		"the scarcest resource decides": {
			v(map[string]int64{"cpu": 1000, "memory": 2}), v(map[string]int64{"cpu": 9000, "memory": 7}), 99, 3},
		"never more than the limit": {
			v(map[string]int64{"cpu": 1}), v(map[string]int64{"cpu": 1000}), 5, 5},
		"a limit below zero is none": {
			v(map[string]int64{"cpu": 1}), v(map[string]int64{"cpu": 1000}), -5, 0},
		"what is not asked for does not matter, even overdrawn": {
			v(map[string]int64{"cpu": 1}), v(map[string]int64{"cpu": 2, "memory": -7, gpu: -1}), 9, 2},
		"nothing fits as often as one likes": {
			resource.Vector{}, v(map[string]int64{"cpu": -1}), 9, 9},
		"one too few is none": {
			v(map[string]int64{"memory": 8}), v(map[string]int64{"memory": 7}), 9, 0},
		"a negative rest is none, and not minus some": {
			v(map[string]int64{"memory": 8}), v(map[string]int64{"memory": -80}), 9, 0},
		"extended resources count": {
			v(map[string]int64{gpu: 2}), v(map[string]int64{gpu: 5}), 9, 2},
		"an extended resource that is not there is none": {
			v(map[string]int64{gpu: 1}), v(map[string]int64{"cpu": 5}), 9, 0},
		"pods and storage count": {
			v(map[string]int64{"pods": 1, "ephemeral-storage": 3}), v(map[string]int64{"pods": 4, "ephemeral-storage": 10}), 9, 3},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.ask.Times(c.free, c.limit); got != c.want {
				t.Errorf("%s fits %d times into %s, want %d", c.ask, got, c.free, c.want)
			}
			if fits := c.ask.Fits(c.free); fits != (c.ask.Times(c.free, 1) == 1) {
				t.Errorf("%s fits into %s: %t", c.ask, c.free, fits)
			}
		})
	}
}

func TestShortIsWhatIsLackingByResource(t *testing.T) {
	ask := v(map[string]int64{"cpu": 4000, "memory": 8, gpu: 2, "pods": 1})
	free := v(map[string]int64{"cpu": 1500, "memory": 9, "pods": -2, "ephemeral-storage": -5})
	want := v(map[string]int64{"cpu": 2500, gpu: 2, "pods": 3})
	if got := ask.Short(free); !got.Equal(want) {
		t.Errorf("%s lacks %s of %s, want %s", free, got, ask, want)
	}
}

func TestAVectorIsShownAsPeopleWriteQuantities(t *testing.T) {
	for want, in := range map[string]resource.Vector{
		"nothing":                        {},
		"cpu=2":                          {MilliCPU: 2000},
		"cpu=1500m memory=896Mi":         {MilliCPU: 1500, Memory: 896 << 20},
		"cpu=-500m":                      {MilliCPU: -500},
		"memory=4Gi":                     {Memory: 4 << 30},
		"memory=3Ti":                     {Memory: 3 << 40},
		"memory=12Mi":                    {Memory: 12<<20 + 1}, // near enough
		"memory=1025":                    {Memory: 1025},
		"memory=2Ki":                     {Memory: 2048},
		"ephemeral-storage=1Gi pods=110": {Storage: 1 << 30, Pods: 110},
		"hugepages-2Mi=6Mi nvidia.com/gpu=8 openshift.io/vf=1": v(map[string]int64{gpu: 8, "hugepages-2Mi": 6 << 20, "openshift.io/vf": 1}),
	} {
		if got := in.String(); got != want {
			t.Errorf("%#v is shown as %q, want %q", in, got, want)
		}
	}
}

func TestWithSetsOneAmountAndLeavesCopiesAlone(t *testing.T) {
	a := v(map[string]int64{gpu: 2, "a/b": 1})
	b := a.With(gpu, 7)
	if a.Get(gpu) != 2 || b.Get(gpu) != 7 || b.Get("a/b") != 1 {
		t.Errorf("a is %s, b is %s", a, b)
	}
	if c := b.With(gpu, 0); len(c.Extra) != 1 || c.Get(gpu) != 0 || b.Get(gpu) != 7 {
		t.Errorf("b is %s, c is %s", b, c)
	}
	for _, name := range []string{resource.CPU, resource.Memory, resource.Storage, resource.Pods} {
		if got := (resource.Vector{}).With(name, 3).Get(name); got != 3 {
			t.Errorf("%s is %d", name, got)
		}
	}
}

func vectors() *rapid.Generator[resource.Vector] {
	return rapid.Custom(func(t *rapid.T) resource.Vector {
		names := []string{"cpu", "memory", "ephemeral-storage", "pods", gpu, "a/b", "z/y"}
		return resource.Of(rapid.MapOf(rapid.SampledFrom(names), rapid.Int64Range(-50, 50)).Draw(t, "amounts"))
	})
}

func TestVectorsObeyTheLawsOfArithmetic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := vectors().Draw(t, "a"), vectors().Draw(t, "b"), vectors().Draw(t, "c")
		k := rapid.Int64Range(-4, 4).Draw(t, "k")
		for law, holds := range map[string]bool{
			"a+b = b+a":                 a.Add(b).Equal(b.Add(a)),
			"(a+b)+c = a+(b+c)":         a.Add(b).Add(c).Equal(a.Add(b.Add(c))),
			"a+b-b = a":                 a.Add(b).Sub(b).Equal(a),
			"a-a is zero":               a.Sub(a).IsZero(),
			"k(a+b) = ka+kb":            a.Add(b).Scale(k).Equal(a.Scale(k).Add(b.Scale(k))),
			"equal is a-b is zero":      a.Equal(b) == a.Sub(b).IsZero(),
			"short is zero if it fits":  a.Short(b).IsZero() == a.Fits(b),
			"what is short makes it up": a.Fits(b.Add(a.Short(b))),
		} {
			if !holds {
				t.Errorf("%s does not hold for a=%s b=%s c=%s k=%d", law, a, b, c, k)
			}
		}
		if n := a.Times(b, 9); n > 0 && !a.Scale(n).Fits(b) {
			t.Errorf("%s does not fit %d times into %s", a, n, b)
		} else if n < 9 && a.Scale(n+1).Fits(b) {
			t.Errorf("%s fits more often than %d times into %s", a, n, b)
		}
		each := map[string]int64{}
		a.Each(func(name string, value int64) { each[name] = value })
		if !resource.Of(each).Equal(a) {
			t.Errorf("each of %s is %v", a, each)
		}
	})
}

func TestAVectorSurvivesItsJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := vectors().Draw(t, "a")
		text, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		var b resource.Vector
		if err := json.Unmarshal(text, &b); err != nil || !a.Equal(b) {
			t.Errorf("%s became %s by %s: %v", a, b, text, err)
		}
	})
}
