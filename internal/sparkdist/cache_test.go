package sparkdist

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestResultsOfTheCache(t *testing.T) {
	t.Run("a result that exists is not built again", func(t *testing.T) {
		c, builds := cache{t.TempDir()}, 0
		for range 2 {
			err := c.once(c.path("a", "result"), func(tmp string) error {
				builds++
				return os.WriteFile(tmp, []byte("x"), 0o644)
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if builds != 1 {
			t.Errorf("built %d times, want once", builds)
		}
	})
	t.Run("a build that fails leaves nothing behind", func(t *testing.T) {
		c, broken := cache{t.TempDir()}, errors.New("broken")
		err := c.once(c.path("result"), func(tmp string) error {
			return errors.Join(os.WriteFile(tmp, []byte("half"), 0o644), broken)
		})
		if !errors.Is(err, broken) {
			t.Errorf("error is %v, want %v", err, broken)
		}
		if left := names(t, c.dir); len(left) != 0 {
			t.Errorf("left %v", left)
		}
	})
	t.Run("leftovers of killed builds are swept, results are kept", func(t *testing.T) {
		c := cache{t.TempDir()}
		touch(t, c.path("result"), time.Now())
		touch(t, c.path("result"+tempMark+"77"), time.Now())
		touch(t, c.path("result"+tempMark+"78.sdist", "archive"), time.Now())
		if err := c.sweep(".", "absent"); err != nil {
			t.Fatal(err)
		}
		if got, want := names(t, c.dir), []string{"result"}; !slices.Equal(got, want) {
			t.Errorf("left %v, want %v", got, want)
		}
	})
	t.Run("of one kind the two that were used last are kept", func(t *testing.T) {
		c, now := cache{t.TempDir()}, time.Now()
		touch(t, c.path("app-old"), now.Add(-3*time.Hour))
		touch(t, c.path("app-older"), now.Add(-4*time.Hour))
		touch(t, c.path("app-new"), now.Add(-time.Hour))
		touch(t, c.path("jre-ancient"), now.Add(-99*time.Hour))
		// A use, not the making, is what counts.
		err := c.once(c.path("app-older"), func(string) error { return errors.New("built again") })
		if err != nil {
			t.Fatal(err)
		}
		if err := c.prune(".", "app-"); err != nil {
			t.Fatal(err)
		}
		if got, want := names(t, c.dir), []string{"app-new", "app-older", "jre-ancient"}; !slices.Equal(got, want) {
			t.Errorf("left %v, want %v", got, want)
		}
	})
}

func TestOnlyOneBuildsAtATime(t *testing.T) {
	c := cache{t.TempDir()}
	unlock, err := c.lock(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}

	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.lock(gone, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("a second build that gives up gets %v, want %v", err, context.Canceled)
	}

	waits, entered := make(chan struct{}), make(chan error, 1)
	go func() {
		release, err := c.lock(t.Context(), func(e Event) {
			if !e.Ended {
				close(waits)
			}
		})
		if err == nil {
			release()
		}
		entered <- err
	}()
	<-waits
	select {
	case err := <-entered:
		t.Fatalf("a second build got in beside the first (error %v)", err)
	default:
	}
	unlock()
	if err := <-entered; err != nil {
		t.Errorf("after the first build left: %v", err)
	}
}

func TestKeysDifferWheneverAPartDiffers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOfN(rapid.StringN(0, 3, -1), 0, 4)
		a, b := parts.Draw(t, "a"), parts.Draw(t, "b")
		if (key(a...) == key(b...)) != slices.Equal(a, b) {
			t.Fatalf("keys of %q and %q: %s, %s", a, b, key(a...), key(b...))
		}
	})
}

func touch(t *testing.T, path string, at time.Time) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, at, at); err != nil {
		t.Fatal(err)
	}
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}
