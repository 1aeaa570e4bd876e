package guest

import (
	"path/filepath"
	"slices"
	"testing"
)

func TestModulesComeAfterThoseThatTheyNeed(t *testing.T) {
	k, err := findKernel()
	if err != nil {
		t.Skip(err)
	}
	files, err := k.with(modules...)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, file := range files {
		names = append(names, filepath.Base(file))
	}
	for _, pair := range [][2]string{
		{"virtio_ring.ko", "virtio_pci.ko"}, {"virtio.ko", "virtio_pci.ko"}, {"net_failover.ko", "virtio_net.ko"},
	} {
		needed, by := slices.Index(names, pair[0]), slices.Index(names, pair[1])
		if needed < 0 || by < needed {
			t.Errorf("%s is not loaded before %s: %v", pair[0], pair[1], names)
		}
	}
	if unique := slices.Compact(slices.Sorted(slices.Values(names))); len(unique) != len(names) {
		t.Errorf("some are loaded twice: %v", names)
	}
	if built, err := k.with("built-in"); err != nil || built != nil {
		t.Errorf("a module that is no file has files: %v, %v", built, err)
	}
}
