package run

import (
	"os"
	"runtime/debug"
)

// gcPercent is by how much the heap may grow, of what is in use, until it is collected.
// Nearly all that is in use is what the controllers see of the cluster. By Go's default of a
// hundred, as much again would be garbage.
const gcPercent = 50

// boundGarbage keeps memory small, unless an administrator has said otherwise by GOGC.
func boundGarbage() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
}
