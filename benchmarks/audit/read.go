package audit

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"
)

// maxLine bounds one record. The largest that an API server writes is a list of
// all pods deleted by one request; a longer line is dropped and reported as a gap.
const maxLine = 256 << 20

// recordStart begins every record that an API server writes. It is used to find
// the next record on a line whose first one was cut off by a killed server.
var recordStart = []byte(`{"kind":"Event","apiVersion":"audit.k8s.io/v1"`)

// rotated matches what the API server's log rotation appends to a file's stem.
var rotated = regexp.MustCompile(`^-\d{4}-\d{2}-\d{2}T\d{2}-\d{2}-\d{2}\.\d{3}$`)

// Open reads audit logs. For each path the rotated files beside it (plain or
// gzip) are read first, oldest first. The order of paths and of lines has no
// influence on the result.
func Open(paths ...string) (*Log, error) {
	log := New()
	for _, path := range paths {
		files, err := withRotated(path)
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			if err := log.readFile(file); err != nil {
				return nil, fmt.Errorf("read audit log %s: %w", file, err)
			}
		}
	}
	return log, nil
}

// Read reads one audit log: a JSON event of audit.k8s.io/v1 on each line.
func Read(r io.Reader) (*Log, error) {
	log := New()
	if err := log.read(r); err != nil {
		return nil, fmt.Errorf("read audit log: %w", err)
	}
	return log, nil
}

// withRotated lists the rotated files of an audit log, oldest first, then itself.
func withRotated(path string) ([]string, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("audit log: %w (is the API server started with --audit-log-path?)", err)
	}
	dir, base := filepath.Split(path)
	ext := filepath.Ext(base)
	stem := strings.TrimSuffix(base, ext)
	entries, err := os.ReadDir(filepath.Clean(dir + "."))
	if err != nil {
		return nil, fmt.Errorf("list rotated audit logs: %w", err)
	}
	var files []string
	for _, entry := range entries {
		name := strings.TrimSuffix(entry.Name(), ".gz")
		stamp, isOurs := strings.CutPrefix(strings.TrimSuffix(name, ext), stem)
		if isOurs && strings.HasSuffix(name, ext) && rotated.MatchString(stamp) {
			files = append(files, filepath.Join(dir, entry.Name()))
		}
	}
	slices.Sort(files)
	return append(files, path), nil
}

func (l *Log) readFile(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	if !strings.HasSuffix(path, ".gz") {
		return l.read(file)
	}
	zipped, err := gzip.NewReader(file)
	if err != nil {
		return err
	}
	defer zipped.Close()
	return l.read(zipped)
}

func (l *Log) read(r io.Reader) error {
	lines := bufio.NewReaderSize(r, 1<<20)
	var line []byte
	for {
		var err error
		line, err = readLine(lines, line[:0])
		if len(line) > 0 {
			l.addLine(line, errors.Is(err, io.EOF))
		}
		switch {
		case errors.Is(err, errLineTooLong):
			l.damaged++
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
}

var errLineTooLong = errors.New("line too long")

// readLine appends the next line to buf. At the end of input it returns io.EOF
// with what was there; of a line longer than maxLine it returns nothing.
func readLine(r *bufio.Reader, buf []byte) ([]byte, error) {
	tooLong := false
	for {
		part, err := r.ReadSlice('\n')
		if tooLong = tooLong || len(buf)+len(part) > maxLine; !tooLong {
			buf = append(buf, part...)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if tooLong && err == nil {
			return buf[:0], errLineTooLong
		}
		return bytes.TrimSpace(buf), err
	}
}

// addLine adds the record of one line. A record cut off at the end of the input,
// or by a server that was killed and began again on the same line, is tolerated:
// its request may or may not have taken effect, as with any lost answer. Any
// other unreadable line is a gap.
func (l *Log) addLine(line []byte, last bool) {
	var event auditv1.Event
	err := json.Unmarshal(line, &event)
	if err == nil {
		l.add(&event)
		return
	}
	if next := bytes.LastIndex(line, recordStart); next > 0 {
		l.truncated++
		l.addLine(line[next:], last)
		return
	}
	if last && bytes.HasPrefix(line, recordStart[:min(len(line), len(recordStart))]) {
		l.truncated++
		return
	}
	l.damaged++
}
