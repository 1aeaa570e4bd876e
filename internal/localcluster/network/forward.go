package network

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"muster.sh/muster/internal/localcluster/network/osthread"
)

// dialTimeout bounds one dial inside the namespace, where no packet is lost.
const dialTimeout = 5 * time.Second

// Forward passes TCP connections from an address of the host to one inside the
// hub's namespace, until the hub is closed. listen must be on 127.0.0.1; with
// port 0 a free one is taken. It returns the address listened on.
func (h *Hub) Forward(ctx context.Context, listen, to string) (string, error) {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return "", fmt.Errorf("forward %s: %w", listen, err)
	}
	if host != "127.0.0.1" {
		return "", fmt.Errorf("forward %s: only 127.0.0.1 is listened on", listen)
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp4", listen)
	if err != nil {
		return "", fmt.Errorf("forward to %s: %w", to, err)
	}
	f := &forwarder{listener: listener, dial: func() (net.Conn, error) { return h.Dial(to) }, open: map[net.Conn]bool{}}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		_ = listener.Close() // nothing was accepted from it
		return "", osthread.ErrEnded
	}
	h.forwarders = append(h.forwarders, f)
	f.running.Go(f.serve)
	return listener.Addr().String(), nil
}

// Dial opens a TCP connection from within the hub's namespace.
func (h *Hub) Dial(to string) (net.Conn, error) {
	var conn net.Conn
	err := h.dialer.Do(func() (err error) {
		// An address without a name to resolve is dialled on this very thread.
		conn, err = net.DialTimeout("tcp4", to, dialTimeout)
		return err
	})
	return conn, err
}

// forwarder copies bytes between the host and the namespace.
type forwarder struct {
	listener net.Listener
	dial     func() (net.Conn, error)
	running  sync.WaitGroup

	mu     sync.Mutex
	closed bool
	open   map[net.Conn]bool
}

// Close ends the listening and every connection, and waits for their ends.
func (f *forwarder) Close() error {
	err := f.listener.Close()
	f.mu.Lock()
	f.closed = true
	for conn := range f.open {
		_ = conn.Close() // to end the copying is all that is wanted
	}
	f.mu.Unlock()
	f.running.Wait()
	return err
}

func (f *forwarder) serve() {
	for {
		outer, err := f.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			// Out of descriptors, most likely: the client sees a connection
			// that waits, and a later one is served.
			time.Sleep(10 * time.Millisecond)
			continue
		}
		f.running.Go(func() { f.pass(outer) })
	}
}

// pass serves one connection. A client whose target refuses sees its own
// connection closed at once, as a refused one nearly looks.
func (f *forwarder) pass(outer net.Conn) {
	defer f.drop(outer)
	if !f.keep(outer) {
		return
	}
	inner, err := f.dial()
	if err != nil {
		return
	}
	defer f.drop(inner)
	if !f.keep(inner) {
		return
	}
	var both sync.WaitGroup
	both.Go(func() { copyHalf(inner, outer) })
	both.Go(func() { copyHalf(outer, inner) })
	both.Wait()
}

// keep notes a connection for Close, or tells that it is too late.
func (f *forwarder) keep(conn net.Conn) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.closed {
		f.open[conn] = true
	}
	return !f.closed
}

func (f *forwarder) drop(conn net.Conn) {
	f.mu.Lock()
	delete(f.open, conn)
	f.mu.Unlock()
	_ = conn.Close() // both sides have been told all there is
}

// copyHalf copies one direction and passes its end on, while the other
// direction goes on.
func copyHalf(to, from net.Conn) {
	_, _ = io.Copy(to, from) // either end may vanish at any time
	if tcp, ok := to.(*net.TCPConn); ok {
		_ = tcp.CloseWrite()
	}
}
