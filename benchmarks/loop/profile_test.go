package loop

import (
	"bytes"
	"testing"

	"github.com/google/pprof/profile"
)

func TestSamplesInsideOfTheLoopAreCounted(t *testing.T) {
	p := &profile.Profile{SampleType: []*profile.ValueType{{Type: "samples", Unit: "count"}, {Type: "cpu", Unit: "nanoseconds"}}}
	function := map[string]*profile.Location{}
	at := func(names ...string) (stack []*profile.Location) {
		for _, name := range names {
			if function[name] == nil {
				id := uint64(len(function) + 1)
				f := &profile.Function{ID: id, Name: name}
				p.Function = append(p.Function, f)
				function[name] = &profile.Location{ID: id, Line: []profile.Line{{Function: f}}}
				p.Location = append(p.Location, function[name])
			}
			stack = append(stack, function[name])
		}
		return stack
	}
	const leaf = "runtime.mallocgc"
	add := func(samples int64, stack []*profile.Location) {
		p.Sample = append(p.Sample, &profile.Sample{Value: []int64{samples, samples * 4e6}, Location: stack})
	}
	add(1, at(leaf, roots[0]))
	add(2, at(leaf, "muster.sh/muster/scheduler/planner.Plan", roots[1]))
	add(4, at(leaf, piece+"func1"))
	add(8, at(leaf, "k8s.io/kubernetes/pkg/scheduler.(*Scheduler).runBindingCycle"))
	add(16, at("runtime.gcBgMarkWorker"))
	// One that was compiled into its caller has no location of its own.
	inlined := at(leaf)[0].Line
	p.Location = append(p.Location, &profile.Location{ID: 100, Line: append(inlined, function[roots[1]].Line...)})
	add(32, p.Location[len(p.Location)-1:])
	var out bytes.Buffer
	if err := p.Write(&out); err != nil {
		t.Fatal(err)
	}
	inside, all, err := count(out.Bytes())
	if err != nil || inside != 1+2+4+32 || all != 63 {
		t.Errorf("%d of %d samples, %v", inside, all, err)
	}
}

func TestWhatIsNoProfileIsAnError(t *testing.T) {
	if _, _, err := count([]byte("no profile")); err == nil {
		t.Error("it was read")
	}
}
