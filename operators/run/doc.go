// Package run is the process muster-operators: its command line, and the manager of
// the controllers that are turned on.
package run
