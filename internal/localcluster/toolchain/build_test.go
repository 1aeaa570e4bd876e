package toolchain

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// program makes a recipe for a module with one program in it.
func program(t *testing.T, source string) *recipe {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "go.mod"), "module example.org/program\n\ngo 1.26\n")
	write(t, filepath.Join(dir, "main.go"), source)
	r := &recipe{tool: "program", dir: dir, packages: []string{"."}}
	if err := r.seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	return r
}

func write(t *testing.T, file, content string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

const hello = "package main\n\nfunc main() { print(\"hello\") }\n"

func TestManyBuildersBuildOnce(t *testing.T) {
	r := program(t, hello)
	out := filepath.Join(t.TempDir(), "program-"+r.key)
	var mu sync.Mutex
	built := 0
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			err := r.ensure(t.Context(), out, func(e Event) {
				mu.Lock()
				defer mu.Unlock()
				if e.Finished && !e.Cached {
					built++
				}
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if built != 1 {
		t.Errorf("built %d times", built)
	}
	said, err := exec.Command(filepath.Join(out, "program")).CombinedOutput()
	if err != nil || string(said) != "hello" {
		t.Errorf("the program says %q, %v", said, err)
	}
	assertNoRemains(t, filepath.Dir(out))
}

func TestAFailedBuildLeavesNothingAndSaysWhatTheCompilerSaid(t *testing.T) {
	r := program(t, "package main\n\nfunc main() { undefinedName() }\n")
	out := filepath.Join(t.TempDir(), "program-"+r.key)
	err := r.ensure(t.Context(), out, func(e Event) {
		if e.Finished {
			t.Errorf("reported as finished: %+v", e)
		}
	})
	if err == nil || !strings.Contains(err.Error(), "undefined: undefinedName") {
		t.Errorf("error does not hold the compiler's: %v", err)
	}
	if present(out) {
		t.Error("the folder of a failed build is there")
	}
	assertNoRemains(t, filepath.Dir(out))
}

func assertNoRemains(t *testing.T, cache string) {
	t.Helper()
	if remains, err := filepath.Glob(filepath.Join(cache, ".building-*")); err != nil || len(remains) > 0 {
		t.Errorf("left behind: %v, %v", remains, err)
	}
}

func TestAWaitForTheLockEndsWithItsContext(t *testing.T) {
	file := filepath.Join(t.TempDir(), "lock")
	unlock, err := lock(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := lock(ctx, file); !errors.Is(err, context.Canceled) {
		t.Errorf("a held lock was taken: %v", err)
	}
	unlock()
	unlock, err = lock(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	unlock()
}

func TestKeysTellRecipesApart(t *testing.T) {
	base := program(t, hello)
	same := program(t, hello)
	if base.key != same.key {
		t.Error("the same sources in another folder have another key")
	}
	keys := map[string]string{base.key: "base"}
	for name, change := range map[string]func(*recipe){
		"source":  func(r *recipe) { write(t, filepath.Join(r.dir, "main.go"), hello+"\n") },
		"go.mod":  func(r *recipe) { write(t, filepath.Join(r.dir, "go.mod"), "module example.org/p\n\ngo 1.26\n") },
		"go.sum":  func(r *recipe) { write(t, filepath.Join(r.dir, "go.sum"), "x") },
		"tags":    func(r *recipe) { r.tags = []string{"netgo"} },
		"ldflags": func(r *recipe) { r.ldflags = []string{"-s"} },
		"cgo":     func(r *recipe) { r.cgo = true },
	} {
		r := program(t, hello)
		change(r)
		r.inputs = nil
		if err := r.seal(t.Context()); err != nil {
			t.Fatal(err)
		}
		if other, taken := keys[r.key]; taken {
			t.Errorf("a change of %s has the key of %s", name, other)
		}
		keys[r.key] = name
	}
}

func TestEveryToolHasARecipeInThisCheckout(t *testing.T) {
	source, err := findSource(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, tool := range All() {
		r, err := newRecipe(t.Context(), source, tool)
		if err != nil {
			t.Errorf("%s: %v", tool, err)
			continue
		}
		if len(r.inputs) == 0 {
			t.Errorf("%s depends on no file", tool)
		}
	}
	if _, err := newRecipe(t.Context(), source, "dockerd"); err == nil {
		t.Error("there is a recipe for an unknown tool")
	}
}

func TestSourceIsFoundOrItsAbsenceExplained(t *testing.T) {
	here, err := findSource(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Run("elsewhere by the variable", func(t *testing.T) {
		t.Chdir(t.TempDir())
		t.Setenv(SourceVariable, here)
		if got, err := findSource(t.Context()); err != nil || got != here {
			t.Errorf("found %q, %v", got, err)
		}
	})
	t.Run("not at all", func(t *testing.T) {
		t.Chdir(t.TempDir())
		if got, err := findSource(t.Context()); err == nil || !strings.Contains(err.Error(), SourceVariable) {
			t.Errorf("found %q, %v", got, err)
		}
	})
	t.Run("not where the variable says", func(t *testing.T) {
		t.Setenv(SourceVariable, t.TempDir())
		if got, err := findSource(t.Context()); err == nil || !strings.Contains(err.Error(), "not a checkout") {
			t.Errorf("found %q, %v", got, err)
		}
	})
}

func TestAControlPlaneOfAnOlderVersionIsStampedWithIt(t *testing.T) {
	source, err := findSource(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r, err := newRecipe(t.Context(), source, Kubernetes("1.34"))
	if err != nil {
		t.Fatal(err)
	}
	flags := strings.Join(r.ldflags, " ")
	for _, want := range []string{"k8s.io/component-base/version.gitVersion=v1.34.", "k8s.io/component-base/version.gitMinor=34"} {
		if !strings.Contains(flags, want) {
			t.Errorf("the flags %q lack %s", flags, want)
		}
	}
}
