package main

import (
	"io"
	"sync"
)

// divertable is a writer whose destination can be changed while in use.
type divertable struct {
	mu sync.Mutex
	to io.Writer
}

// Write writes to the present destination.
func (d *divertable) Write(data []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.to.Write(data)
}

func (d *divertable) divert(to io.Writer) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.to = to
}
