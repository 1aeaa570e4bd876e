package core_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"muster.sh/muster/scheduler/core"
)

// A journal keeps events of these kinds alone.
func TestKindsHasEveryKindOfEvent(t *testing.T) {
	var known []string
	for _, e := range core.Kinds() {
		known = append(known, reflect.TypeOf(e).Name())
	}
	slices.Sort(known)
	if declared := declaredEvents(t); !slices.Equal(known, declared) {
		t.Errorf("Kinds has %v, and there are %v", known, declared)
	}
}

// declaredEvents are the types of this package that are events, by name.
func declaredEvents(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, path := range files {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Name.Name == "isEvent" {
				names = append(names, f.Recv.List[0].Type.(*ast.Ident).Name)
			}
		}
	}
	slices.Sort(names)
	return names
}
