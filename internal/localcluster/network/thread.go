package network

import (
	"errors"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// thread is an operating system thread that lives in a network namespace. What
// is run on it opens its sockets there, and children started by it are born
// there.
//
// It lives until it is told to end, for the kernel takes the end of the thread
// that started a child for the death of that child's parent.
type thread struct {
	work  chan func()
	ended chan struct{}
}

var errEnded = errors.New("the network namespace has been closed")

// newThread starts a thread and calls enter on it, which puts the thread into
// its namespace.
func newThread(enter func() error) (*thread, error) {
	t := &thread{work: make(chan func()), ended: make(chan struct{})}
	entered := make(chan error)
	go t.run(enter, entered)
	if err := <-entered; err != nil {
		return nil, err
	}
	return t, nil
}

func (t *thread) run(enter func() error, entered chan<- error) {
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

// do runs f on the thread and waits for it.
func (t *thread) do(f func() error) error {
	result := make(chan error, 1)
	select {
	case t.work <- func() { result <- f() }:
		return <-result
	case <-t.ended:
		return errEnded
	}
}

// end lets the thread go; it must be called once.
func (t *thread) end() { close(t.ended) }
