package gobuild

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestABuildTellsItsPackagesAndItsComplaints(t *testing.T) {
	tests := []struct {
		name, source string
		wantErr      string
	}{
		{"a good program is built", "package main\n\nfunc main() {}\n", ""},
		{"a bad one is refused with its place", "package main\n\nfunc main() { nothing() }\n", "main.go:3"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, filepath.Join(dir, "go.mod"), "module example.test/unique\n\ngo 1.26\n")
			write(t, filepath.Join(dir, "main.go"), test.source)
			var told []string
			build := Build{
				Dir: dir, Env: []string{"CGO_ENABLED=0", "GOFLAGS=-buildvcs=false"},
				Args: []string{"-o", filepath.Join(dir, "out")}, Packages: []string{"."},
				Progress: func(done, total int, path string) {
					if done < 1 || done > total {
						t.Errorf("%d of %d are done", done, total)
					}
					told = append(told, path)
				},
			}
			err := build.Run(t.Context())
			if test.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), test.wantErr) {
					t.Errorf("got %v, want an error with %q", err, test.wantErr)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if len(told) == 0 {
				t.Error("no package was told of")
			}
			if _, err := os.Stat(filepath.Join(dir, "out")); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestGoOutputIsTakenApart(t *testing.T) {
	output := "internal/abi\ngithub.com/a/b.c/v2\n# github.com/a/b.c/v2\n./main.go:3:15: undefined: x\n"
	compiled := 0
	rest := follow(strings.NewReader(output), func(string) { compiled++ })
	if compiled != 2 {
		t.Errorf("%d packages were compiled, want 2", compiled)
	}
	if rest != "# github.com/a/b.c/v2\n./main.go:3:15: undefined: x" {
		t.Errorf("complaints are %q", rest)
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
