package inside

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// kubelet replaces this process by the kubelet, in a mount namespace of its own
// where it sees the machine as the spec says. Only there: a container's /proc
// is refused by the kernel where containerd sees a /proc with covered files.
func kubelet(args []string) error {
	spec, err := readSpec(SpecFile)
	if err != nil {
		return err
	}
	// The new namespace stays a peer of the node's, so that both see each
	// other's later mounts, but for those that are made below.
	if err := unix.Unshare(unix.CLONE_NEWNS | unix.CLONE_FS); err != nil {
		return fmt.Errorf("make a mount namespace: %w", err)
	}
	for _, tree := range []string{"/proc", "/sys"} {
		if err := unix.Mount("", tree, "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
			return fmt.Errorf("make %s private: %w", tree, err)
		}
	}
	if err := os.MkdirAll(coversDir, 0o755); err != nil {
		return err
	}
	if err := coverSysctls(); err != nil {
		return err
	}
	if err := spec.View.cover(); err != nil {
		return err
	}
	if spec.Machine != nil {
		// Where one CPU does all, containers' starts and ends go first: they have
		// deadlines, and what is late is begun anew.
		if err := unix.Setpriority(unix.PRIO_PROCESS, 0, 10); err != nil {
			return fmt.Errorf("step back behind containers: %w", err)
		}
	}
	argv := append([]string{filepath.Base(Binary), "kubelet"}, args...)
	return fmt.Errorf("start the kubelet: %w", syscall.Exec(Binary, argv, os.Environ()))
}

// coversDir holds the files that cover others.
const coversDir = "/run/muster/kubelet-view"

// kernelSettings are those that the kubelet insists on, and would change for
// the whole machine.
var kernelSettings = map[string]string{
	"vm/overcommit_memory":      "1",
	"vm/panic_on_oom":           "0",
	"kernel/panic":              "10",
	"kernel/panic_on_oops":      "1",
	"kernel/keys/root_maxkeys":  "1000000",
	"kernel/keys/root_maxbytes": "25000000",
}

// coverSysctls lets the kubelet read and write those settings in files, not in
// the kernel.
func coverSysctls() error {
	for setting, value := range kernelSettings {
		if err := cover(filepath.Join("/proc/sys", setting), value+"\n"); err != nil {
			return err
		}
	}
	return nil
}

// cover mounts a file of the content over another.
func cover(path, content string) error {
	file, err := os.CreateTemp(coversDir, filepath.Base(path)+"-")
	if err != nil {
		return fmt.Errorf("cover %s: %w", path, err)
	}
	_, err = file.WriteString(content)
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = unix.Mount(file.Name(), path, "", unix.MS_BIND, "")
	}
	if err != nil {
		return fmt.Errorf("cover %s: %w", path, err)
	}
	return nil
}
