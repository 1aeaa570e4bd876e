// Package scheduler_test holds the rule of who may know whom in the scheduler.
package scheduler_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "muster.sh/muster/"

// room is a folder of the scheduler and what it may import.
type room struct {
	// rooms, and other packages of this module, that it may know.
	knows string
	// pure rooms know nothing else than the standard library, and of that
	// neither the clock nor the world.
	pure bool
	// library is one that a pure room may know besides: it only works something out.
	library string
	// objects says that it may touch Kubernetes objects, framework that it may
	// import kube-scheduler's packages.
	objects, framework bool
}

// rooms are all there are. A new one has to say here whom it may know.
var rooms = map[string]room{
	"resource": {pure: true},
	"gang":     {pure: true, knows: "resource numa"},
	"numa":     {pure: true, knows: "resource"},
	"cluster":  {pure: true, knows: "resource numa gang", library: "github.com/k8stopologyawareschedwg/podfingerprint"},
	"ledger":   {pure: true, knows: "resource numa gang cluster"},
	"planner":  {pure: true, knows: "resource numa gang cluster"},
	"victims":  {pure: true, knows: "gang cluster ledger planner"},
	"booking":  {pure: true, knows: "gang cluster ledger planner"},
	"queue":    {pure: true, knows: "resource gang cluster ledger planner"},
	"core":     {pure: true, knows: "resource numa gang cluster ledger planner victims booking queue"},
	"journal":  {pure: true, knows: "resource core"},

	"explain": {knows: "resource gang queue core api/explain/v1"},
	"source":  {knows: "resource numa gang cluster queue core api/v1alpha1 internal/sparkconf", objects: true},
	"effects": {knows: "resource gang core api/v1alpha1", objects: true},
	"hold":    {knows: "gang core", objects: true, framework: true},
	"plugin":  {knows: "resource numa gang cluster core", objects: true, framework: true},
	"run": {
		knows:   "resource gang planner queue core journal source effects hold plugin explain api/v1alpha1 api/explain/v1 api/config/v1alpha1 internal/configflags",
		objects: true, framework: true,
	},

	// Builders for tests, beside the rooms that they are for.
	"gang/gangtest": {pure: true, knows: "resource gang"},
	"core/coretest": {pure: true, knows: "resource numa gang gang/gangtest cluster queue core"},
}

// world has what pure rooms must not import: they get events, and return
// decisions.
var world = []string{"os", "net", "log", "io/ioutil", "math/rand", "syscall", "runtime", "testing", "database", "plugin", "unsafe"}

// clock has what pure rooms must not call of package time.
var clock = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTicker", "NewTimer"}

// waits is the one place that does: the loop waits until something is due. The
// time it stamps events with is handed in.
const waits = "core/loop.go"

func TestEachRoomKnowsOnlyThoseItMay(t *testing.T) {
	seen := map[string]bool{}
	for path, file := range productFiles(t) {
		name := filepath.ToSlash(filepath.Dir(path))
		r, declared := rooms[name]
		if !declared {
			t.Errorf("%s: the room %s is not in this test's list: say there whom it may know", path, name)
			continue
		}
		seen[name] = true
		for _, spec := range file.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if why := r.forbids(imported); why != "" {
				t.Errorf("%s imports %s: %s", path, imported, why)
			}
		}
	}
	for name := range rooms {
		if !seen[name] {
			t.Errorf("the room %s does not exist", name)
		}
	}
}

func (r room) forbids(imported string) string {
	own, ours := strings.CutPrefix(imported, module)
	own = strings.TrimPrefix(own, "scheduler/")
	switch {
	case ours && slices.Contains(strings.Fields(r.knows), own):
		return ""
	case ours:
		return "it may not know this room"
	case !strings.Contains(strings.Split(imported, "/")[0], "."):
		return r.forbidsStandard(imported)
	case r.pure && imported == r.library:
		return ""
	case r.pure:
		return "a pure room imports no other module"
	case under(imported, "k8s.io/kubernetes") && !r.framework:
		return "only hold, plugin and run know kube-scheduler"
	case (under(imported, "k8s.io") || under(imported, "sigs.k8s.io")) && !r.objects:
		return "it may not know Kubernetes"
	}
	return ""
}

func (r room) forbidsStandard(imported string) string {
	if r.pure && slices.ContainsFunc(world, func(w string) bool { return under(imported, w) }) {
		return "a pure room does not know the world"
	}
	return ""
}

func under(path, root string) bool { return path == root || strings.HasPrefix(path, root+"/") }

func TestPureRoomsReadNoClock(t *testing.T) {
	for path, file := range productFiles(t) {
		name := filepath.ToSlash(path)
		if !rooms[filepath.ToSlash(filepath.Dir(path))].pure || name == waits {
			continue
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok {
				if pkg, ok := sel.X.(*ast.Ident); ok && pkg.Name == "time" && slices.Contains(clock, sel.Sel.Name) {
					t.Errorf("%s calls time.%s: time is handed in with events", name, sel.Sel.Name)
				}
			}
			return true
		})
	}
}

func TestTheRuleKnowsRightFromWrong(t *testing.T) {
	for _, c := range []struct {
		room, imported string
		forbidden      bool
	}{
		{"core", module + "scheduler/planner", false},
		{"planner", module + "scheduler/core", true},
		{"ledger", module + "scheduler/planner", true},
		{"core", module + "scheduler/core/coretest", true},
		{"core", "math/rand/v2", true},
		{"core", "log/slog", true},
		{"core", "slices", false},
		{"core", "k8s.io/api/core/v1", true},
		{"source", "k8s.io/api/core/v1", false},
		{"source", "k8s.io/kubernetes/pkg/scheduler", true},
		{"plugin", "k8s.io/kubernetes/pkg/scheduler", false},
		{"plugin", module + "scheduler/source", true},
		{"explain", "sigs.k8s.io/controller-runtime", true},
		{"run", module + "operators/spark", true},
	} {
		if got := rooms[c.room].forbids(c.imported) != ""; got != c.forbidden {
			t.Errorf("%s may not import %s: %t, want %t", c.room, c.imported, got, c.forbidden)
		}
	}
}

// productFiles parses every Go file of the scheduler that is no test.
func productFiles(t *testing.T) map[string]*ast.File {
	t.Helper()
	out := map[string]*ast.File{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		out[path] = file
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}
