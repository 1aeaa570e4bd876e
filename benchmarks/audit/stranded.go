package audit

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// DefaultGrace is how long a gang may stay half-bound without a bind.
const DefaultGrace = 2 * time.Second

// Options says how to judge.
type Options struct {
	// Grace is how long a gang may stay half-bound without a bind; DefaultGrace
	// if zero.
	Grace time.Duration
	// End is when the observation ended. If it is zero the log is taken to tell
	// everything that ever happened, so that a gang which is half-bound at its
	// end stays so for ever, and is found however short the log's last silence.
	// Set it to the time of reading where the log is still being written.
	End time.Time
	// Excused are times in which nobody could bind anything because the judging
	// side had stopped the API server or the scheduler; they may overlap. They
	// don't count towards Grace.
	Excused []Span
}

// StrandedGangs finds the gangs that held room for nothing. A gang is stranded
// while all of this is true:
//
//  1. A member holds room: it is bound, has not ended, its deletion or eviction
//     was not asked for, and its node is not lost.
//  2. Fewer than Min members have been bound so far. A member that was bound and
//     left again explains its own absence: what follows from a failed, deleted or
//     evicted member is the gang's policy and no fault in placement.
//  3. It is the others' turn. A gang that expects members must have asked: a
//     member exists that is not bound. Of any other gang, members must not be
//     missing for the reason that somebody deleted them before they were bound.
//  4. For more than Grace nothing moved: no bind of a member has reached the API
//     server and, where members are expected, the first of those that wait has
//     been there for as long. How long the server takes to answer is not counted
//     against whoever binds.
//  5. No node was lost since its last bind.
//
// Members that are deleted and created again while they wait don't restart the
// time of rule 4. A finding lasts from the end of Grace until the next bind, or
// until one of the other rules ends it.
func StrandedGangs(tl *Timeline, gangs []Gang, opts Options) []Finding {
	if opts.Grace == 0 {
		opts.Grace = DefaultGrace
	}
	opts.Excused = slices.Clone(opts.Excused)
	slices.SortFunc(opts.Excused, func(a, b Span) int { return a.From.Compare(b.From) })
	lost := tl.nodeLosses()
	var findings []Finding
	for _, gang := range gangs {
		findings = append(findings, newGangWatch(tl, gang, opts, lost).run()...)
	}
	return sortFindings(findings)
}

// nodeLosses lists when nodes were lost, in order.
func (tl *Timeline) nodeLosses() []time.Time {
	var losses []time.Time
	for _, node := range tl.Nodes {
		for _, at := range node.Lost {
			losses = append(losses, at.By)
		}
	}
	slices.SortFunc(losses, time.Time.Compare)
	return losses
}

// gangStep is a change in the counts of a gang.
type gangStep struct {
	at   time.Time
	kind stepKind
}

type stepKind int

// In the order in which steps of the same instant are taken.
const (
	memberCreated   stepKind = iota
	memberBound              // it waited, now it holds room
	memberReleased           // it held room, now it doesn't
	memberWithdrawn          // it waited and was deleted
	nodeLost
	logEnds
)

// gangWatch walks through the life of one gang.
type gangWatch struct {
	gang  Gang
	opts  Options
	steps []gangStep
	end   time.Time

	waiting, held, ever, withdrawn int

	asked     bool      // a member began to wait since the last bind
	quiet     time.Time // of the last progress
	excused   bool      // a node was lost since the last bind
	finding   *Finding
	strandeds []Finding
}

func newGangWatch(tl *Timeline, gang Gang, opts Options, losses []time.Time) *gangWatch {
	w := &gangWatch{gang: gang, opts: opts, end: later(tl.End, opts.End)}
	var from time.Time
	for _, pod := range gang.Members {
		w.addLife(tl, pod)
		if at := asked(pod.Bound); !at.IsZero() && (from.IsZero() || at.Before(from)) {
			from = at
		}
	}
	for _, at := range losses {
		if !from.IsZero() && at.After(from) {
			w.steps = append(w.steps, gangStep{at, nodeLost})
		}
	}
	w.steps = append(w.steps, gangStep{w.end, logEnds})
	slices.SortStableFunc(w.steps, func(a, b gangStep) int {
		return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.kind, b.kind))
	})
	return w
}

// addLife adds the steps of one member.
func (w *gangWatch) addLife(tl *Timeline, pod *Pod) {
	if !pod.Created.Known() && !pod.Bound.Known() {
		return
	}
	left := earliest(earliest(pod.Deleting, pod.Gone), pod.Ended)
	created, bound := pod.Created.By, asked(pod.Bound)
	if !bound.IsZero() && (created.IsZero() || created.After(bound)) {
		created = bound
	}
	w.steps = append(w.steps, gangStep{created, memberCreated})
	if !pod.Bound.Known() {
		if left.Known() {
			w.steps = append(w.steps, gangStep{left.By, memberWithdrawn})
		}
		return
	}
	w.steps = append(w.steps, gangStep{bound, memberBound})
	if node := tl.nodes[pod.Node]; node != nil {
		for _, lost := range node.Lost {
			if lost.By.After(pod.Bound.By) {
				left = earliest(left, lost)
			}
		}
	}
	if left.Known() {
		w.steps = append(w.steps, gangStep{later(left.By, pod.Bound.By), memberReleased})
	}
}

// asked is when a bind reached the API server, as far as that is known; zero for
// one that never did.
func asked(bind Moment) time.Time {
	if bind.After.IsZero() {
		return bind.By
	}
	return bind.After
}

// run takes the steps in turn; between two of them nothing changes but the time.
func (w *gangWatch) run() []Finding {
	for i, step := range w.steps {
		if step.kind == logEnds {
			break
		}
		w.take(step)
		w.judge(step.at, w.steps[i+1].at)
	}
	w.judgeEnd()
	return w.strandeds
}

func (w *gangWatch) take(step gangStep) {
	switch step.kind {
	case memberCreated:
		w.waiting++
		if !w.asked && w.gang.Expects {
			w.asked = true
			w.quiet = later(w.quiet, step.at)
		}
	case memberBound:
		w.waiting--
		w.held++
		w.ever++
		w.quiet, w.asked, w.excused = step.at, w.waiting > 0, false
		w.close(step.at, "")
	case memberReleased:
		w.held--
	case memberWithdrawn:
		w.waiting--
		w.withdrawn++
	case nodeLost:
		w.excused = true
	}
}

// isShort applies the rules but the fourth.
func (w *gangWatch) isShort() bool {
	if w.held == 0 || w.ever >= w.gang.Min || w.excused {
		return false
	}
	if w.gang.Expects {
		return w.waiting > 0
	}
	enough := w.gang.Min - w.ever
	deleted := w.waiting < enough && w.waiting+w.withdrawn >= enough
	return !deleted
}

// judge applies the fourth rule to a stretch of time in which nothing changes.
func (w *gangWatch) judge(from, until time.Time) {
	if !w.isShort() {
		w.close(from, "")
		return
	}
	at := later(from, w.graceEnds())
	if w.finding == nil && at.Before(until) {
		w.openFinding(at)
	}
}

// judgeEnd closes the book on a gang that is short when the log ends.
func (w *gangWatch) judgeEnd() {
	if w.isShort() && w.finding == nil && w.opts.End.IsZero() {
		w.openFinding(w.end)
	}
	w.close(w.end, ", and was so when the log ended")
}

func (w *gangWatch) openFinding(at time.Time) {
	w.finding = &Finding{Kind: Stranded, Object: w.gang.String(), At: at}
	w.finding.Detail = fmt.Sprintf("%d of its minimum of %d members were bound, %d held room and %d waited, with no bind since %s",
		w.ever, w.gang.Min, w.held, w.waiting, w.quiet.UTC().Format(clock))
}

func (w *gangWatch) close(at time.Time, suffix string) {
	if w.finding == nil {
		return
	}
	w.finding.Until = at
	w.finding.Detail += suffix
	w.strandeds = append(w.strandeds, *w.finding)
	w.finding = nil
}

// graceEnds is when Grace has passed since the last progress, excused times not
// counted.
func (w *gangWatch) graceEnds() time.Time {
	ends, counted := w.quiet.Add(w.opts.Grace), w.quiet
	for _, span := range w.opts.Excused {
		from := later(span.From, counted)
		if from.Before(ends) && span.Until.After(from) {
			ends = ends.Add(span.Until.Sub(from))
			counted = span.Until
		}
	}
	return ends
}

// clock prints times in findings.
const clock = "15:04:05.000"
