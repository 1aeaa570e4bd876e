package node

import (
	"os"
	"strings"
	"testing"
)

func TestKernelReleasesAreComparedByNumber(t *testing.T) {
	for release, old := range map[string]bool{
		"5.13.0":                false,
		"5.13.0-rc1":            false,
		"5.9.12-200.fc33":       true, // 9 is less than 13, though "9" is more than "13"
		"5.10.0-28-amd64":       true,
		"6.1.0-13-amd64":        false,
		"6.18.44":               false,
		"10.0.1":                false,
		"4.19.0":                true,
		"":                      true,
		"something else":        true,
		"5.15.0-microsoft-WSL2": false,
	} {
		if got := kernelIsOld(release, oldestKernel); got != old {
			t.Errorf("is kernel %q older than %s: got %t, want %t", release, oldestKernel, got, old)
		}
	}
}

func TestMissingNamesRootAndItsCureForOthers(t *testing.T) {
	missing := Missing(t.Context(), t.TempDir())
	var names []string
	for _, m := range missing {
		names = append(names, m.Name)
		if m.Cure == "" || m.Brings == "" {
			t.Errorf("%q names no cure or no use", m)
		}
	}
	named := strings.Contains(strings.Join(names, "\n"), "root")
	if isRoot := os.Geteuid() == 0; isRoot == named {
		t.Errorf("as root: %t, but missing are: %q", isRoot, names)
	}
}

func TestMissingSeesThatAFolderCannotHoldLayers(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root, to mount")
	}
	// A kernel file system takes no upper layer.
	missing := missingInKernel(t.Context(), "/proc")
	if len(missing) != 1 || !strings.Contains(missing[0].Name, "overlayfs") {
		t.Errorf("only overlayfs should be missing on /proc, but: %v", missing)
	}
}
