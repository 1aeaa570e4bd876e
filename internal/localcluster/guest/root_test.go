package guest

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/cavaliergopher/cpio"
)

func TestAnArchiveHasFoldersBeforeWhatIsInThem(t *testing.T) {
	program := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(program, []byte("code"), 0o600); err != nil {
		t.Fatal(err)
	}
	var archive bytes.Buffer
	err := pack(&archive, map[string]content{
		"/etc/muster/node.json": {data: []byte("{}")},
		"/etc/hosts":            {},
		"/opt/program":          {file: program},
	})
	if err != nil {
		t.Fatal(err)
	}
	type entry struct {
		name, content string
		folder        bool
	}
	var got []entry
	reader := cpio.NewReader(&archive)
	for {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(reader)
		if err != nil {
			t.Fatal(err)
		}
		if !header.Mode.IsDir() && header.Mode.Perm()&0o100 == 0 {
			t.Errorf("%s can't be executed", header.Name)
		}
		got = append(got, entry{header.Name, string(data), header.Mode.IsDir()})
	}
	want := []entry{
		{"etc", "", true},
		{"etc/hosts", "", false},
		{"etc/muster", "", true},
		{"etc/muster/node.json", "{}", false},
		{"opt", "", true},
		{"opt/program", "code", false},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the archive has %v, want %v", got, want)
	}
}
