package audit_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"pgregory.net/rapid"

	"muster.sh/muster/benchmarks/audit"
)

// history draws the lives of a few pods on two nodes of 4 CPUs and writes their
// log. All requests take no time, so that there is one truth to compare with.
func history(t *rapid.T, log *logBuilder) {
	log.taking(0).node("n0", "cpu=4,pods=3").node("n1", "cpu=4,pods=3")
	type state int
	const (
		absent state = iota
		waiting
		bound
		deleting
	)
	states := make([]state, 6)
	now := 0.0
	for range rapid.IntRange(1, 40).Draw(t, "steps") {
		now += float64(rapid.IntRange(1, 1600).Draw(t, "pause")) / 1000
		log.at(now)
		i := rapid.IntRange(0, len(states)-1).Draw(t, "pod")
		name := fmt.Sprintf("p%d", i)
		act := rapid.IntRange(0, 3).Draw(t, "act")
		switch {
		case states[i] == absent:
			log.create(name, requests(fmt.Sprintf("cpu=%d", rapid.IntRange(0, 3).Draw(t, "cpus"))))
			states[i] = waiting
		case states[i] == waiting && act < 3:
			log.bind(name, fmt.Sprintf("n%d", rapid.IntRange(0, 1).Draw(t, "node")))
			states[i] = bound
		case states[i] == waiting:
			log.remove(name)
			states[i] = absent
		case states[i] == bound && act == 0:
			log.phase(name, corev1.PodFailed).remove(name)
			states[i] = absent
		case states[i] == bound:
			log.remove(name)
			states[i] = deleting
		default:
			log.finish(name)
			states[i] = absent
		}
	}
	log.at(now + 3).create("last")
}

// covered reports whether a finding that matches covers a time.
func covered(findings []audit.Finding, at time.Time, matches func(audit.Finding) bool) bool {
	for _, f := range findings {
		if matches(f) && !f.At.After(at) && f.Until.After(at) {
			return true
		}
	}
	return false
}

// before reports whether a moment had come at a time.
func before(m audit.Moment, at time.Time) bool { return m.Known() && !m.By.After(at) }

func TestPropertyOverCommitIsFoundExactlyWhereTheSumExceedsTheNode(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		log := newLog(t)
		history(rt, log)
		tl := log.timeline()
		findings := audit.OverCommit(tl)
		for at := epoch; at.Before(tl.End); at = at.Add(97 * time.Millisecond) {
			for _, node := range tl.Nodes {
				cpus, pods := int64(0), 0
				for _, p := range tl.Pods {
					if p.Node == node.Name && before(p.Bound, at) && !before(p.Ended, at) && !before(p.Gone, at) {
						cpus += p.Requests.Cpu().Value()
						pods++
					}
				}
				for _, c := range []struct {
					resource string
					over     bool
				}{{"cpu", cpus > 4}, {"pods", pods > 3}} {
					got := covered(findings, at, func(f audit.Finding) bool {
						return f.Object == node.Name && strings.Contains(f.Detail, "brought "+c.resource)
					})
					if got != c.over {
						rt.Fatalf("%s of %s at %s: found %v, is %v\n%s", c.resource, node.Name, at, got, c.over, lives(tl))
					}
				}
			}
		}
	})
}

// strandedAt applies the definition to one instant, word by word.
func strandedAt(gang audit.Gang, at time.Time) bool {
	held, ever, waiting, withdrawn := 0, 0, 0, 0
	var lastBind, asked time.Time
	for _, p := range gang.Members {
		leaves := before(p.Deleting, at) || before(p.Gone, at) || before(p.Ended, at)
		switch {
		case before(p.Bound, at):
			ever++
			if !leaves {
				held++
			}
			if p.Bound.By.After(lastBind) {
				lastBind = p.Bound.By
			}
		case before(p.Created, at) && leaves:
			withdrawn++
		case before(p.Created, at):
			waiting++
		}
	}
	if held == 0 || ever >= gang.Min {
		return false
	}
	quiet := lastBind
	if gang.Expects {
		if waiting == 0 {
			return false
		}
		asked = at
		for _, p := range gang.Members { // who waited first since the last bind
			waited := p.Created.By
			if waited.Before(lastBind) {
				waited = lastBind
			}
			gone := before(p.Deleting, lastBind) || before(p.Gone, lastBind)
			if !before(p.Bound, lastBind) && !gone && waited.Before(asked) {
				asked = waited
			}
		}
		quiet = asked
	} else if missing := gang.Min - ever; waiting < missing && waiting+withdrawn >= missing {
		return false
	}
	return at.Sub(quiet) > audit.DefaultGrace
}

func TestPropertyStrandedGangsAreFoundExactlyAsDefined(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		log := newLog(t)
		history(rt, log)
		tl := log.timeline()
		gang := audit.Select(tl, "ns", "g", rapid.IntRange(1, 8).Draw(rt, "min"), func(p *audit.Pod) bool { return p.Name != "last" })
		gang.Expects = rapid.Bool().Draw(rt, "expects")
		findings := audit.StrandedGangs(tl, []audit.Gang{gang}, audit.Options{})
		for at := epoch; at.Before(tl.End); at = at.Add(89*time.Millisecond + 500*time.Nanosecond) {
			got := covered(findings, at, func(audit.Finding) bool { return true })
			if want := strandedAt(gang, at); got != want {
				rt.Fatalf("at %.4f: found %v, is %v, min %d, expects %v\n%v\n%s",
					at.Sub(epoch).Seconds(), got, want, gang.Min, gang.Expects, findings, lives(tl))
			}
		}
	})
}

func TestPropertyTheOrderOfLinesDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		log := newLog(t)
		history(rt, log)
		want := lives(log.timeline())
		log.lines = rapid.Permutation(log.lines).Draw(rt, "order")
		if got := lives(log.timeline()); got != want {
			rt.Fatalf("in this order the log reads\n%s\nin its own\n%s", got, want)
		}
	})
}

func lives(tl *audit.Timeline) string {
	var out strings.Builder
	for _, pod := range tl.Pods {
		fmt.Fprintln(&out, life(pod))
	}
	fmt.Fprintln(&out, audit.OverCommit(tl))
	return out.String()
}

func FuzzReadTakesAnyText(f *testing.F) {
	log := newLog(f).node("n", "cpu=1").create("a").at(1).bind("a", "n").at(2).evict("a")
	f.Add(log.text())
	f.Add(`{"kind":"Event","apiVersion":"audit.k8s.io/v1","stage":"ResponseComplete","verb":"create","objectRef":{"resource":"pods"},"responseObject":{"kind":"Pod","metadata":{"uid":"u"},"spec":[]}}`)
	f.Add(`{"kind":"Event","apiVersion":"audit.k8s.io/v1"`)
	f.Fuzz(func(t *testing.T, text string) {
		log, err := audit.Read(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		tl := log.Timeline()
		gang := audit.Select(tl, "ns", "g", math.MaxInt32, func(*audit.Pod) bool { return true })
		audit.Judge(log, tl, audit.Case{Gangs: []audit.Gang{gang}})
	})
}
