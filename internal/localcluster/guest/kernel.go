package guest

import (
	"debug/elf"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// kernel is Linux as Debian packs it, unpacked.
type kernel struct {
	image   string
	modules map[string]string // files, by name
}

// kernelDir is where hack/fetch-guest-kernel unpacks it.
func kernelDir() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the cache folder (set XDG_CACHE_HOME or HOME): %w", err)
	}
	return filepath.Join(cache, "muster", "guest-kernel"), nil
}

func findKernel() (*kernel, error) {
	dir, err := kernelDir()
	if err != nil {
		return nil, err
	}
	images, err := filepath.Glob(filepath.Join(dir, "boot", "vmlinuz-*"))
	if err != nil {
		return nil, err
	}
	if len(images) != 1 {
		return nil, fmt.Errorf("there are %d kernels in %s, not one", len(images), dir)
	}
	k := &kernel{image: images[0], modules: map[string]string{}}
	err = filepath.WalkDir(filepath.Join(dir, "lib", "modules"), func(path string, _ fs.DirEntry, err error) error {
		if name, ok := strings.CutSuffix(filepath.Base(path), ".ko"); ok {
			k.modules[canonical(name)] = path
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list the kernel's modules: %w", err)
	}
	return k, nil
}

// canonical is a module's name; some files have dashes in theirs.
func canonical(module string) string { return strings.ReplaceAll(module, "-", "_") }

// with returns the files of modules and of those that they need, in the order of
// loading. What is no file is built into the kernel.
func (k *kernel) with(modules ...string) ([]string, error) {
	var files []string
	for _, module := range modules {
		file, ok := k.modules[canonical(module)]
		if !ok {
			continue
		}
		needed, err := dependencies(file)
		if err != nil {
			return nil, fmt.Errorf("read what module %s needs: %w", module, err)
		}
		below, err := k.with(needed...)
		if err != nil {
			return nil, err
		}
		for _, f := range append(below, file) {
			if !slices.Contains(files, f) {
				files = append(files, f)
			}
		}
	}
	return files, nil
}

// dependencies are the modules that one says it needs.
func dependencies(file string) ([]string, error) {
	module, err := elf.Open(file)
	if err != nil {
		return nil, err
	}
	defer module.Close()
	section := module.Section(".modinfo")
	if section == nil {
		return nil, fmt.Errorf("%s is no kernel module", file)
	}
	info, err := section.Data()
	if err != nil {
		return nil, err
	}
	for field := range strings.SplitSeq(string(info), "\x00") {
		if list, ok := strings.CutPrefix(field, "depends="); ok && list != "" {
			return strings.Split(list, ","), nil
		}
	}
	return nil, nil
}
