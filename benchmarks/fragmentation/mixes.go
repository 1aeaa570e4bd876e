package fragmentation

import (
	"math/rand/v2"

	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/planner"
	"muster.sh/muster/scheduler/resource"
)

// Mix is what kinds of pods arrive: of a hundred, so many with no GPU, a part of
// one, one, two, four and eight; and how many of those with whole ones insist on a
// model.
type Mix struct {
	Name                              string
	none, part, one, two, four, eight int
	choosy                            int
}

// Mixes that are compared.
var Mixes = []Mix{
	{Name: "single", none: 15, part: 10, one: 65, two: 5, four: 3, eight: 2, choosy: 10},
	{Name: "multi", none: 10, part: 5, one: 35, two: 20, four: 15, eight: 15, choosy: 10},
	{Name: "fractional", none: 10, part: 50, one: 30, two: 5, four: 3, eight: 2, choosy: 10},
	{Name: "with-cpu", none: 45, part: 10, one: 30, two: 7, four: 5, eight: 3, choosy: 10},
	{Name: "choosy", none: 15, part: 10, one: 50, two: 10, four: 10, eight: 5, choosy: 60},
}

// kindsOfPods is how many kinds of pods a workload has.
const kindsOfPods = 40

// draw draws the workload of a mix: kinds of pods, each with the weight of its kind.
func (m Mix) draw(random *rand.Rand) []planner.Sample {
	samples := make([]planner.Sample, kindsOfPods)
	for i := range samples {
		samples[i] = planner.Sample{Shape: m.shape(random), Weight: 1 + random.Int64N(10)}
	}
	return samples
}

func (m Mix) shape(random *rand.Rand) gang.Shape {
	switch n := random.IntN(100); {
	case n < m.none:
		cores := oneOf(random, 1, 2, 4, 8, 16)
		return gang.Shape{Request: needs(cores, cores*oneOf(random, 2, 4, 8))}
	case n < m.none+m.part:
		request := needs(oneOf(random, 1, 2, 4, 6, 8), oneOf(random, 4, 8, 16, 32))
		return gang.Shape{Request: request.With([]string{quarterGPU, sliceGPU}[random.IntN(2)], oneOf(random, 1, 1, 2, 3))}
	default:
		return m.whole(random, n-m.none-m.part)
	}
}

// whole is a pod with whole GPUs, and CPU and memory in no fixed ratio to them.
func (m Mix) whole(random *rand.Rand, n int) gang.Shape {
	count := int64(8)
	switch {
	case n < m.one:
		count = 1
	case n < m.one+m.two:
		count = 2
	case n < m.one+m.two+m.four:
		count = 4
	}
	s := gang.Shape{Request: needs(count*oneOf(random, 2, 4, 6, 8, 12, 16, 24), count*oneOf(random, 8, 16, 32, 48, 64)).With(wholeGPU, count)}
	if random.IntN(100) < m.choosy {
		s.Affinity = []gang.Term{{{Key: modelLabel, Operator: gang.In, Values: modelsWith(random, count)}}}
	}
	return s
}

// modelsWith draws one or two models of which a node has so many GPUs.
func modelsWith(random *rand.Rand, count int64) []string {
	var models []string
	for _, k := range nodeKinds {
		if k.device == wholeGPU && k.devices >= count {
			models = append(models, k.model)
		}
	}
	random.Shuffle(len(models), func(i, j int) { models[i], models[j] = models[j], models[i] })
	return models[:1+random.IntN(min(2, len(models)))]
}

func needs(cores, memory int64) resource.Vector {
	return resource.Vector{MilliCPU: cores * 1000, Memory: memory << 30, Pods: 1}
}

func oneOf(random *rand.Rand, values ...int64) int64 { return values[random.IntN(len(values))] }

// stream draws which kind of pod comes next, for ever.
func stream(random *rand.Rand, samples []planner.Sample) func() *gang.Shape {
	total := int64(0)
	for _, s := range samples {
		total += s.Weight
	}
	return func() *gang.Shape {
		n := random.Int64N(total)
		for i := range samples {
			if n -= samples[i].Weight; n < 0 {
				return &samples[i].Shape
			}
		}
		return nil // not reached: n was below the sum of all
	}
}
