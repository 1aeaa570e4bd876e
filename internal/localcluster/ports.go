package localcluster

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// Ports are taken from below Linux's default range for outgoing connections
// (32768 and up): a port from that range could be some connection's own by the
// time its component is started again.
const (
	firstPort = 20000
	lastPort  = 32700
)

// reservePorts adds a free loopback port for every name that has none yet.
// A port once chosen is kept, so that a restarted component is found again.
func reservePorts(ports map[string]int, names ...string) error {
	var held []net.Listener
	defer func() {
		for _, l := range held {
			_ = l.Close()
		}
	}()
	for _, name := range names {
		if ports[name] != 0 {
			continue
		}
		listener, err := freePort()
		if err != nil {
			return fmt.Errorf("reserve a port for %s: %w", name, err)
		}
		held = append(held, listener)
		ports[name] = listener.Addr().(*net.TCPAddr).Port
	}
	return nil
}

func freePort() (net.Listener, error) {
	var last error
	for range 100 {
		port := firstPort + rand.IntN(lastPort-firstPort) //nolint:gosec // a port number is no secret
		listener, err := net.Listen("tcp", net.JoinHostPort(loopback, strconv.Itoa(port)))
		if err == nil {
			return listener, nil
		}
		last = err
	}
	return nil, errors.Join(errors.New("no free port on "+loopback), last)
}
