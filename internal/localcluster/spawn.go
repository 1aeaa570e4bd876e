package localcluster

import (
	"os/exec"
	"runtime"
	"sync"
	"syscall"
)

// hostStarter starts children that die with this process, however it ends.
//
// The kernel sends the parent-death signal when the *thread* that started the
// child exits, and Go ends threads as it likes. So all children are started by
// one goroutine that is locked to its thread and never returns.
var hostStarter = sync.OnceValue(func() starter {
	type request struct {
		cmd   *exec.Cmd
		reply chan error
	}
	requests := make(chan request)
	go func() {
		runtime.LockOSThread()
		for r := range requests {
			r.reply <- r.cmd.Start()
		}
	}()
	return func(cmd *exec.Cmd) error {
		if cmd.SysProcAttr == nil {
			cmd.SysProcAttr = &syscall.SysProcAttr{}
		}
		cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
		// In a process group of its own a child does not see a terminal's
		// Ctrl-C; we stop the children ourselves, in their order.
		cmd.SysProcAttr.Setpgid = true
		reply := make(chan error)
		requests <- request{cmd, reply}
		return <-reply
	}
})
