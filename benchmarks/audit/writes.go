package audit

import (
	"cmp"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"
)

// Write is a kind of API write.
type Write struct {
	Verb string
	// Resource is the plural, with the group unless it is the core one and the
	// subresource if any: "pods/binding", "podgroups.scheduling.volcano.sh".
	Resource string
	// Agent is the program by its user agent, without version and platform, with
	// the part of the program where it names one: "kube-scheduler/scheduler".
	Agent string
	// User is the name that the client signed in with; all nodes are one.
	User string
}

// Count is how often something was written.
type Count struct {
	Done   int
	Failed int // refused with a status of 400 or more
}

// Counts has a count for each kind of write.
type Counts map[Write]Count

// Sum adds up the writes that matches accepts; all if it is nil.
func (c Counts) Sum(matches func(Write) bool) Count {
	var sum Count
	for write, count := range c {
		if matches == nil || matches(write) {
			sum = sum.plus(count)
		}
	}
	return sum
}

// sorted lists the kinds of writes, the most frequent first.
func (c Counts) sorted() []Write {
	return slices.SortedFunc(maps.Keys(c), func(a, b Write) int {
		total := func(w Write) int { return c[w].Done + c[w].Failed }
		return cmp.Or(cmp.Compare(total(b), total(a)), cmp.Compare(a.Resource, b.Resource), cmp.Compare(a.Verb, b.Verb),
			cmp.Compare(a.Agent, b.Agent), cmp.Compare(a.User, b.User))
	})
}

func (c Count) plus(other Count) Count {
	return Count{c.Done + other.Done, c.Failed + other.Failed}
}

// WriteCounts is what was written to the API.
type WriteCounts struct {
	All    Counts // without events
	Events Counts // writes of Event objects

	log *writeLog
}

// Writes returns the counts of a log as it is now. Where the audit policy leaves
// a resource out, its writes are not counted.
func Writes(l *Log) WriteCounts {
	counts := WriteCounts{All: Counts{}, Events: Counts{}, log: l.writes}
	for _, tallies := range l.writes.objects {
		l.writes.addTo(counts.All, tallies)
	}
	for _, tallies := range l.writes.events {
		l.writes.addTo(counts.Events, tallies)
	}
	return counts
}

// Pod returns what was written of one pod's name, and the events about it. The
// audit log names pods, so that incarnations of one name are counted together.
func (w WriteCounts) Pod(p *Pod) (writes, events Counts) {
	return w.of([]ObjectName{{"pods", p.Namespace, p.Name}})
}

// Gang returns what was written of a gang's members and of its own objects, and
// the events about them.
func (w WriteCounts) Gang(g Gang) (writes, events Counts) {
	var names []ObjectName
	for _, pod := range g.Members {
		names = append(names, ObjectName{"pods", pod.Namespace, pod.Name})
	}
	return w.of(append(names, g.Objects...))
}

// Repeats counts the writes after the first of each object, and the events after the
// first about each, of objects and kinds of writes that are accepted.
func (w WriteCounts) Repeats(of func(ObjectName) bool, by func(Write) bool) int {
	sum := 0
	for _, log := range []map[ObjectName][]tally{w.log.objects, w.log.events} {
		for name, tallies := range log {
			if !of(name) {
				continue
			}
			counts := Counts{}
			w.log.addTo(counts, tallies)
			sum += max(counts.Sum(by).Done-1, 0)
		}
	}
	return sum
}

func (w WriteCounts) of(names []ObjectName) (writes, events Counts) {
	writes, events = Counts{}, Counts{}
	counted := map[ObjectName]bool{}
	for _, name := range names {
		if counted[name] {
			continue
		}
		counted[name] = true
		w.log.addTo(writes, w.log.objects[name])
		about := ObjectName{Namespace: name.Namespace, Name: name.Name}
		if !counted[about] {
			counted[about] = true
			w.log.addTo(events, w.log.events[about])
		}
	}
	return writes, events
}

// writeLog counts writes while the log is being read. Kinds of writes are
// numbered, since there are few of them and many objects.
type writeLog struct {
	kinds   []Write
	kindOf  map[Write]int32
	objects map[ObjectName][]tally
	events  map[ObjectName][]tally // by namespace and name of the object concerned
	agents  map[string]string      // user agents as sent, shortened
}

// tally counts one kind of write of one object.
type tally struct {
	kind         int32
	done, failed int32
}

func newWriteLog() *writeLog {
	return &writeLog{
		kindOf:  map[Write]int32{},
		objects: map[ObjectName][]tally{}, events: map[ObjectName][]tally{},
		agents: map[string]string{},
	}
}

func (l *writeLog) addTo(counts Counts, tallies []tally) {
	for _, t := range tallies {
		write := l.kinds[t.kind]
		counts[write] = counts[write].plus(Count{int(t.done), int(t.failed)})
	}
}

func (l *writeLog) add(event *auditv1.Event, r *request) {
	resource := r.resource
	if r.group != "" {
		resource += "." + r.group
	}
	object := ObjectName{Resource: resource, Namespace: r.namespace, Name: r.name}
	if r.subresource != "" {
		resource += "/" + r.subresource
	}
	write := Write{Verb: r.verb, Resource: resource, Agent: l.agent(event.UserAgent), User: user(event.User.Username)}
	counts := l.objects
	if r.resource == "events" {
		// An event's name is that of the object concerned, a dot, and a number.
		about := object.Name
		if dot := strings.LastIndexByte(about, '.'); dot > 0 {
			about = about[:dot]
		}
		object = ObjectName{Namespace: object.Namespace, Name: about}
		counts = l.events
	}
	counts[object] = count(counts[object], l.kind(write), r.code < http.StatusBadRequest)
}

func (l *writeLog) kind(write Write) int32 {
	kind, ok := l.kindOf[write]
	if !ok {
		kind = int32(len(l.kinds))
		l.kindOf[write] = kind
		l.kinds = append(l.kinds, write)
	}
	return kind
}

func count(tallies []tally, kind int32, done bool) []tally {
	at := slices.IndexFunc(tallies, func(t tally) bool { return t.kind == kind })
	if at < 0 {
		at = len(tallies)
		tallies = append(tallies, tally{kind: kind})
	}
	if done {
		tallies[at].done++
	} else {
		tallies[at].failed++
	}
	return tallies
}

var (
	agentProgram = regexp.MustCompile(`^[^/\s]+`)
	agentPart    = regexp.MustCompile(`\bkubernetes/[^/\s]+/(\S+)$`)
)

func (l *writeLog) agent(sent string) string {
	short, ok := l.agents[sent]
	if !ok {
		short = agentProgram.FindString(sent)
		if part := agentPart.FindStringSubmatch(sent); part != nil {
			short += "/" + part[1]
		}
		l.agents[strings.Clone(sent)] = short
	}
	return short
}

func user(name string) string {
	if strings.HasPrefix(name, "system:node:") {
		return "system:nodes"
	}
	return name
}
