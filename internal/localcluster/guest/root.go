package guest

import (
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cavaliergopher/cpio"

	"muster.sh/muster/internal/localcluster/node"
)

// modules are what the kernel needs beside what is built in, for its network card
// and for containers.
var modules = []string{"virtio_pci", "virtio_net", "overlay", "veth"}

const modulesDir = "/lib/modules"

// etc is what programs expect on any machine.
var etc = map[string]string{
	"/etc/passwd":        "root:x:0:0:root:/root:/bin/sh\n",
	"/etc/group":         "root:x:0:\n",
	"/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
	"/etc/hosts":         "127.0.0.1 localhost\n",
	"/etc/machine-id":    "00000000000000000000000000000001\n",
	"/etc/resolv.conf":   "",
}

// content is of one file: a file of the host, or else what is said.
type content struct {
	file string
	data []byte
}

// writeRoot writes all that the guest has, as the archive that its kernel unpacks.
func (c *Config) writeRoot(archive string, k *kernel) error {
	files, err := c.root(k)
	if err != nil {
		return err
	}
	out, err := os.Create(archive)
	if err != nil {
		return err
	}
	err = pack(out, files)
	if closed := out.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return fmt.Errorf("write the guest's root: %w", err)
	}
	return nil
}

// root lists the guest's files, by their paths.
func (c *Config) root(k *kernel) (map[string]content, error) {
	files := map[string]content{node.MachineBinary: {file: c.Node.Binary}}
	loaded, err := k.with(modules...)
	if err != nil {
		return nil, err
	}
	machine := node.Machine{Address: address, Gateway: HostIP, SystemCPUs: SystemCPU, Logs: map[string]string{}}
	for _, file := range loaded {
		at := path.Join(modulesDir, filepath.Base(file))
		files[at] = content{file: file}
		machine.Modules = append(machine.Modules, at)
	}
	for _, log := range logDevices {
		machine.Logs[log.daemon] = log.device
	}
	told, err := c.Node.MachineFiles(machine)
	if err != nil {
		return nil, err
	}
	for at, data := range told {
		files[at] = content{data: data}
	}
	for at, text := range etc {
		files[at] = content{data: []byte(text)}
	}
	for name, file := range c.Programs {
		files[path.Join(ProgramsDir, name)] = content{file: file}
	}
	for _, tool := range node.Tools() {
		if err := addFolder(files, path.Join(node.MachineTools, tool), c.Node.Tools[tool]); err != nil {
			return nil, err
		}
	}
	return files, nil
}

func addFolder(files map[string]content, at, folder string) error {
	return filepath.WalkDir(folder, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		inside, err := filepath.Rel(folder, file)
		files[path.Join(at, filepath.ToSlash(inside))] = content{file: file}
		return err
	})
}

// pack writes the files, each after the folders that it is in.
func pack(to io.Writer, files map[string]content) error {
	archive := cpio.NewWriter(to)
	made := map[string]bool{"/": true}
	for _, at := range slices.Sorted(maps.Keys(files)) {
		if err := packFolder(archive, path.Dir(at), made); err != nil {
			return err
		}
		if err := files[at].pack(archive, at); err != nil {
			return err
		}
	}
	return archive.Close()
}

func packFolder(archive *cpio.Writer, at string, made map[string]bool) error {
	if made[at] {
		return nil
	}
	made[at] = true
	if err := packFolder(archive, path.Dir(at), made); err != nil {
		return err
	}
	return archive.WriteHeader(&cpio.Header{Name: relative(at), Mode: cpio.TypeDir | 0o755, Links: 2})
}

// pack writes one file. All may be executed: which are programs is not told.
func (c content) pack(archive *cpio.Writer, at string) error {
	if c.file == "" {
		return packFile(archive, at, int64(len(c.data)), strings.NewReader(string(c.data)))
	}
	file, err := os.Open(c.file)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	return packFile(archive, at, info.Size(), file)
}

func packFile(archive *cpio.Writer, at string, size int64, from io.Reader) error {
	if err := archive.WriteHeader(&cpio.Header{Name: relative(at), Mode: cpio.TypeReg | 0o755, Size: size}); err != nil {
		return err
	}
	_, err := io.Copy(archive, from)
	return err
}

// relative is a path as archives have it.
func relative(at string) string { return strings.TrimPrefix(at, "/") }
