package memory

import (
	"strconv"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// object is what a table can have.
type object interface {
	runtime.Object
	metav1.Object
}

// table has the objects of one kind, and what has become of them. An object in it
// is never changed but replaced by its next version, so that it may be read
// without the lock.
type table[T object] struct {
	resource schema.GroupResource

	mu     sync.Mutex
	byName map[string]T
	names  []string // in the order of creation
	// changes has every version but the objects' first.
	changes []T
	// more is closed at the next change; nil if nobody waits for one.
	more chan struct{}
}

// firstVersion is what objects have that were not changed yet.
const firstVersion = 1

func newTable[T object](group, resource string, objects []T) *table[T] {
	t := &table[T]{
		resource: schema.GroupResource{Group: group, Resource: resource},
		byName:   make(map[string]T, len(objects)), changes: make([]T, 0, len(objects)),
	}
	for _, o := range objects {
		o.SetResourceVersion(strconv.Itoa(firstVersion))
		name := key(o.GetNamespace(), o.GetName())
		t.byName[name] = o
		t.names = append(t.names, name)
	}
	return t
}

func key(namespace, name string) string { return namespace + "/" + name }

func (t *table[T]) notFound(name string) error { return apierrors.NewNotFound(t.resource, name) }

// get returns a copy of an object.
func (t *table[T]) get(namespace, name string) (T, error) {
	t.mu.Lock()
	o, found := t.byName[key(namespace, name)]
	t.mu.Unlock()
	if !found {
		return o, t.notFound(name)
	}
	return copied(o), nil
}

func copied[T object](o T) T { return o.DeepCopyObject().(T) }

// all returns the objects themselves, and the version of the table.
func (t *table[T]) all() ([]T, string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := make([]T, len(t.names))
	for i, name := range t.names {
		out[i] = t.byName[name]
	}
	return out, t.version()
}

func (t *table[T]) version() string { return strconv.Itoa(firstVersion + len(t.changes)) }

// change replaces an object by its next version, which is made from the one that
// there is and must share nothing with it that is ever changed.
func (t *table[T]) change(namespace, name string, next func(T) (T, error)) (T, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	name = key(namespace, name)
	old, found := t.byName[name]
	if !found {
		return old, t.notFound(name)
	}
	o, err := next(old)
	if err != nil {
		return old, err
	}
	t.changes = append(t.changes, o)
	o.SetResourceVersion(t.version())
	t.byName[name] = o
	if t.more != nil {
		close(t.more)
		t.more = nil
	}
	return o, nil
}

// after returns the changes after the first n, and a channel that is closed when
// there are more.
func (t *table[T]) after(n int) ([]T, <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.more == nil {
		t.more = make(chan struct{})
	}
	return t.changes[n:len(t.changes):len(t.changes)], t.more
}
