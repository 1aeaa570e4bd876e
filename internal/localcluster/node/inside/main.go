package inside

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// Main runs one step with its arguments and returns the exit code.
func Main(args []string) int {
	// Namespaces are entered by a thread; every step that does so goes on in it.
	runtime.LockOSThread()
	err := errors.New("a step is needed; this command is not for users")
	if len(args) > 0 {
		err = step(args[0], args[1:])
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s %s: %v\n", Command, strings.Join(args, " "), err)
		return 1
	}
	return 0
}

func step(name string, args []string) error {
	switch name {
	case StepSetup:
		if len(args) != 1 {
			return errors.New("the spec's file is needed")
		}
		return reported(func() error { return setup(args[0]) })
	case StepBoot:
		return reported(boot)
	case StepRun:
		return reported(run)
	case StepKubelet:
		return kubelet(args)
	case StepJanitor:
		return janitor(args)
	default:
		return fmt.Errorf("no step is called %q", name)
	}
}

// reported tells the node's owner of an error, beside this process's log.
func reported(f func() error) error {
	err := f()
	if err != nil {
		report(strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	return err
}

// report writes one line to the node's owner.
func report(line string) {
	// The owner may be gone, and then nobody is left to tell.
	_, _ = unix.Write(statusFile, []byte(line+"\n"))
}
