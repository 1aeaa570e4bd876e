package audit

import (
	"cmp"
	"slices"
	"time"
)

// finishPods completes each pod with what is known of its name only and with what
// follows from the rest: a record can be lost with the server that should have
// written it, and the next one shows what it had done.
func (l *Log) finishPods() []*Pod {
	byName := map[podName][]*podRecord{}
	for _, record := range l.pods {
		finished := *record
		finished.completeCreation()
		name := podName{record.Namespace, record.Name}
		byName[name] = append(byName[name], &finished)
	}
	pods := make([]*Pod, 0, len(l.pods))
	for name, lives := range byName {
		slices.SortFunc(lives, func(a, b *podRecord) int {
			return cmp.Or(a.Created.By.Compare(b.Created.By), cmp.Compare(a.UID, b.UID))
		})
		applyNamed(lives, l.named[name])
		for i, life := range lives {
			life.completeBinding()
			if i+1 < len(lives) && !life.Gone.Known() {
				life.Gone = Moment{After: life.seen, By: lives[i+1].Created.By}
			}
			life.Ended, life.Gone = l.withoutOutage(life.Ended), l.withoutOutage(life.Gone)
			pods = append(pods, &life.Pod)
		}
	}
	slices.SortFunc(pods, func(a, b *Pod) int {
		return cmp.Or(a.Created.By.Compare(b.Created.By), cmp.Compare(a.String(), b.String()), cmp.Compare(a.UID, b.UID))
	})
	return pods
}

// completeCreation falls back to the creation time stamp of a pod that is older
// than the log.
func (p *podRecord) completeCreation() {
	if !p.Created.Known() && !p.appeared.IsZero() {
		p.Created = Moment{After: p.appeared, By: p.appeared.Add(time.Second)}
	}
}

// completeBinding infers a bind that isn't in the log from the node that the pod
// was seen with: it was created with it, or bound at an unknown time before.
func (p *podRecord) completeBinding() {
	switch {
	case p.Bound.Known() || !p.shown.Known():
		return
	case p.shown == p.Created:
		p.Bound = p.Created
	default:
		p.Bound = Moment{By: p.shown.By}
	}
	p.Node = p.shownOn
}

// applyNamed gives each change to the incarnation that lived at its time.
func applyNamed(lives []*podRecord, changes []namedChange) {
	changes = slices.Clone(changes)
	slices.SortStableFunc(changes, func(a, b namedChange) int {
		return cmp.Or(a.at.By.Compare(b.at.By), cmp.Compare(a.kind, b.kind))
	})
	for _, change := range changes {
		if life := livingAt(lives, change); life != nil {
			life.apply(change)
		}
	}
}

// livingAt finds the last incarnation that existed when the change was made. That
// there is no such pod says something only of one that was created before it was
// asked for.
func livingAt(lives []*podRecord, change namedChange) *podRecord {
	for _, life := range slices.Backward(lives) {
		if change.kind == podAbsent && !life.Created.By.After(change.at.After) ||
			change.kind != podAbsent && !life.Created.After.After(change.at.By) {
			return life
		}
	}
	return nil
}

func (p *podRecord) apply(change namedChange) {
	switch change.kind {
	case podBound:
		p.bind(change.node, change.at)
	case podDeleting:
		p.Deleting = earliest(p.Deleting, change.at)
		neverBound := !p.Bound.Known() && !p.shown.Known()
		ended := p.Ended.Known() && !p.Ended.By.After(change.at.After)
		if neverBound || ended || p.noGrace {
			p.Gone = earliest(p.Gone, change.at)
		}
	case podGone:
		p.Deleting = earliest(p.Deleting, change.at)
		p.Gone = earliest(p.Gone, change.at)
	case podAbsent:
		if !p.Gone.Known() && !p.seen.After(change.at.After) {
			p.Gone = Moment{After: p.seen, By: change.at.By}
		}
	}
}
