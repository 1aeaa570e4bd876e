// muster-local runs a real Kubernetes on one machine, for trying Muster out and
// for its tests. It is one binary with many commands: the user's own (up, down,
// status…), and, hidden, every program that the cluster is made of, so that one
// build and one file are all that a cluster needs.
package main

import (
	"fmt"
	"os"

	"muster.sh/muster/internal/localcluster/command"
)

func main() {
	// Kubernetes' programs parse their own flags, and parse all of them.
	if len(os.Args) > 1 {
		if program, found := programs[os.Args[1]]; found {
			os.Exit(program(os.Args[2:]))
		}
	}
	if err := command.NewRoot().Execute(); err != nil {
		fmt.Fprintln(os.Stderr, "muster-local:", err)
		os.Exit(1)
	}
}
