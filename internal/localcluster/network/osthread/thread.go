// Package osthread gives a piece of Go an operating system thread of its own,
// whose namespaces it may change without any other code noticing.
package osthread

import (
	"errors"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// Thread is an operating system thread in namespaces of its own. What is run on
// it opens its sockets there, and children started by it are born there.
//
// It lives until it is told to end: the kernel takes the end of the thread that
// started a child for the death of that child's parent.
type Thread struct {
	work  chan func()
	ended chan struct{}
}

// ErrEnded is returned by Do once the thread has been told to end.
var ErrEnded = errors.New("the thread has ended")

// New starts a thread and calls enter on it, which puts the thread into its
// namespaces.
func New(enter func() error) (*Thread, error) {
	t := &Thread{work: make(chan func()), ended: make(chan struct{})}
	entered := make(chan error)
	go t.run(enter, entered)
	if err := <-entered; err != nil {
		return nil, err
	}
	return t, nil
}

func (t *Thread) run(enter func() error, entered chan<- error) {
	// Never unlocked: the thread is fit for nothing else, and ends with this
	// goroutine.
	runtime.LockOSThread()
	if unix.Gettid() == os.Getpid() {
		// The main thread stands for the whole process in /proc, and Go cannot
		// end it. While this goroutine holds it, another one gets another.
		done := make(chan struct{})
		go func() {
			defer close(done)
			t.run(enter, entered)
		}()
		<-done
		runtime.UnlockOSThread()
		return
	}
	err := enter()
	entered <- err
	if err != nil {
		return
	}
	for {
		select {
		case f := <-t.work:
			f()
		case <-t.ended:
			return
		}
	}
}

// Do runs f on the thread and waits for it.
func (t *Thread) Do(f func() error) error {
	result := make(chan error, 1)
	select {
	case t.work <- func() { result <- f() }:
		return <-result
	case <-t.ended:
		return ErrEnded
	}
}

// End lets the thread go; it must be called once.
func (t *Thread) End() { close(t.ended) }
