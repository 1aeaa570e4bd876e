package inside

import (
	"context"
	"io"
	"os"
	"os/signal"
	"time"

	"golang.org/x/sys/unix"

	"muster.sh/muster/internal/localcluster/node/cgroup"
)

// janitorPatience is how long a killed node's processes may take to end.
const janitorPatience = 2 * time.Minute

// janitor waits until standard input ends, which it does when the owner of the
// node closes it or is killed, and then removes the node's control group: the
// only thing of a node that the kernel does not remove by itself.
func janitor(folders []string) error {
	// It outlives a terminal's Ctrl-C, to do its work after it.
	signal.Ignore(unix.SIGINT, unix.SIGTERM, unix.SIGHUP)
	_, _ = io.Copy(io.Discard, os.Stdin) // any end is the end
	ctx, cancel := context.WithTimeout(context.Background(), janitorPatience)
	defer cancel()
	return (&cgroup.Group{Folders: folders}).Remove(ctx)
}
