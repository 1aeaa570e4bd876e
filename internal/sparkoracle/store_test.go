package sparkoracle

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestWhatIsStoredIsReadAgain(t *testing.T) {
	for _, list := range [][]string{{}, {"one"}, {"a\nb", "é", ""}} {
		var out bytes.Buffer
		if err := WriteList(&out, list); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "answers.json")
		if err := os.WriteFile(path, out.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := Read[[]string](path)
		if err != nil || !slices.Equal(got, list) {
			t.Errorf("%q is read as %q, %v", list, got, err)
		}
	}
}
