package memory

import (
	"strconv"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/watch"
)

// sending is how many events may be on their way to who watches.
const sending = 100

// watcher sends the changes of a table, with a copy of each object, as fast as
// they are taken. It keeps nobody waiting who changes something.
type watcher[T object] struct {
	table *table[T]
	out   chan watch.Event
	done  chan struct{}
	stop  func()
}

// watch begins with the changes after a version of the table.
func (t *table[T]) watch(version string) (watch.Interface, error) {
	n := firstVersion
	if version != "" {
		var err error
		if n, err = strconv.Atoi(version); err != nil {
			return nil, apierrors.NewBadRequest("resourceVersion: " + err.Error())
		}
	}
	w := &watcher[T]{table: t, out: make(chan watch.Event, sending), done: make(chan struct{})}
	w.stop = sync.OnceFunc(func() { close(w.done) })
	go w.run(max(n-firstVersion, 0))
	return w, nil
}

// ResultChan returns the events.
func (w *watcher[T]) ResultChan() <-chan watch.Event { return w.out }

// Stop ends the watch.
func (w *watcher[T]) Stop() { w.stop() }

func (w *watcher[T]) run(sent int) {
	defer close(w.out)
	for {
		changes, more := w.table.after(sent)
		for _, o := range changes {
			select {
			case w.out <- watch.Event{Type: watch.Modified, Object: copied(o)}:
			case <-w.done:
				return
			}
		}
		if sent += len(changes); len(changes) > 0 {
			continue
		}
		select {
		case <-more:
		case <-w.done:
			return
		}
	}
}
