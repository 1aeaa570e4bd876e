package inside

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// root is the folder in which a node's root is being assembled.
type root string

func (r root) path(inside string) string { return filepath.Join(string(r), inside) }

// create mounts an empty file system and makes the usual folders in it.
func (r root) create() error {
	if err := unix.Mount("tmpfs", string(r), "tmpfs", 0, "mode=755"); err != nil {
		return fmt.Errorf("mount tmpfs: %w", err)
	}
	for _, folder := range []string{"dev", "etc", "home", "mnt", "opt", "proc", "root", "run", "srv", "sys", "usr", "var/lib", "var/log"} {
		if err := os.MkdirAll(r.path(folder), 0o755); err != nil {
			return err
		}
	}
	for _, folder := range []string{"tmp", "var/tmp"} {
		if err := os.Mkdir(r.path(folder), 0o777); err != nil {
			return err
		}
		if err := os.Chmod(r.path(folder), os.ModeSticky|0o777); err != nil {
			return err
		}
	}
	return os.Symlink("/run", r.path("/var/run"))
}

// bindPrograms shows the host's programs and libraries: the daemons call nft
// and mount.
func (r root) bindPrograms() error {
	if err := r.bind(Bind{Source: "/usr", Target: "/usr", ReadOnly: true}); err != nil {
		return err
	}
	for _, name := range []string{"/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"} {
		info, err := os.Lstat(name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			return err
		case info.Mode()&fs.ModeSymlink != 0: // to the same in /usr
			err = r.copyLink(name)
		default:
			err = r.bind(Bind{Source: name, Target: name, ReadOnly: true})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (r root) copyLink(name string) error {
	target, err := os.Readlink(name)
	if err != nil {
		return err
	}
	return os.Symlink(target, r.path(name))
}

// writeEtc makes the node's own /etc, with the few things of the host's that
// its programs need to work.
func (r root) writeEtc() error {
	for name, content := range map[string]string{
		"passwd":        "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
		"group":         "root:x:0:\nnogroup:x:65534:\n",
		"nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
		"hosts":         "127.0.0.1 localhost\n::1 localhost\n",
		"resolv.conf":   "",
	} {
		if err := os.WriteFile(r.path("/etc/"+name), []byte(content), 0o644); err != nil {
			return err
		}
	}
	// The first two are the linker's; alternatives says which of several
	// programs a name means.
	for _, name := range []string{"/etc/ld.so.cache", "/etc/ld.so.conf.d", "/etc/alternatives", "/etc/protocols", "/etc/services"} {
		if _, err := os.Stat(name); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err := r.bind(Bind{Source: name, Target: name, ReadOnly: true}); err != nil {
			return err
		}
	}
	return nil
}

// mountKernel mounts what the kernel shows. /proc and /sys are mounted anew, to
// be those of the node's own namespaces; devices are the machine's.
func (r root) mountKernel() error {
	if err := r.bind(Bind{Source: "/dev", Target: "/dev"}); err != nil {
		return err
	}
	const plain = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC
	for _, m := range []struct {
		kind, target string
		flags        uintptr
		options      string
	}{
		{"proc", "/proc", plain, ""},
		{"sysfs", "/sys", plain, ""},
		{"tmpfs", "/run", unix.MS_NOSUID | unix.MS_NODEV, "mode=755"},
		{"tmpfs", "/dev/shm", unix.MS_NOSUID | unix.MS_NODEV, "mode=1777"},
	} {
		if err := unix.Mount(m.kind, r.path(m.target), m.kind, m.flags, m.options); err != nil {
			return fmt.Errorf("mount %s on %s: %w", m.kind, m.target, err)
		}
	}
	return nil
}

func (r root) bindAll(binds []Bind) error {
	for _, b := range binds {
		if err := r.bind(b); err != nil {
			return err
		}
	}
	return nil
}

// bind shows a folder or file of the host in the root, at a place that it makes.
func (r root) bind(b Bind) error {
	target := r.path(b.Target)
	info, err := os.Stat(b.Source)
	if err != nil {
		return err
	}
	if err := makePlace(target, info.IsDir()); err != nil {
		return err
	}
	if err := unix.Mount(b.Source, target, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("bind %s: %w", b.Source, err)
	}
	if !b.ReadOnly {
		return nil
	}
	attributes := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY}
	if err := unix.MountSetattr(unix.AT_FDCWD, target, unix.AT_RECURSIVE, &attributes); err != nil {
		return fmt.Errorf("make %s read-only: %w", b.Source, err)
	}
	return nil
}

// makePlace makes an empty folder or file to mount on.
func makePlace(path string, folder bool) error {
	if folder {
		return os.MkdirAll(path, 0o755)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	return file.Close()
}

// enter makes the assembled root this process's, and lets go of the host's.
func (r root) enter() error {
	if err := os.Chdir(string(r)); err != nil {
		return err
	}
	// With both folders the same the old root comes to lie on the new one, from
	// where it is unmounted.
	if err := unix.PivotRoot(".", "."); err != nil {
		return fmt.Errorf("move into it: %w", err)
	}
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return fmt.Errorf("let go of the host's files: %w", err)
	}
	if err := os.Chdir("/"); err != nil {
		return err
	}
	// As on any machine: what the kubelet mounts for a pod, containerd sees.
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_SHARED, ""); err != nil {
		return fmt.Errorf("share mounts among the node's processes: %w", err)
	}
	return nil
}
