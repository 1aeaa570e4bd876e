package cli

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"golang.org/x/term"
)

// screen shows lines that change: on a terminal in their place, elsewhere each time that
// there is a new one.
type screen struct {
	out io.Writer
	// width and height are those of the terminal, and zero elsewhere.
	width, height int
	last          []string
}

func newScreen(out io.Writer) *screen {
	s := &screen{out: out}
	if file, ok := out.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		if width, height, err := term.GetSize(int(file.Fd())); err == nil {
			s.width, s.height = width, height
		}
	}
	return s
}

// show shows lines in the place of those that were shown before. Of more than a terminal
// has room for it shows the first, and the last ones.
func (s *screen) show(lines ...string) {
	if over := len(lines) - (s.height - 1); s.height > 2 && over > 0 {
		lines = slices.Delete(slices.Clone(lines), 1, 1+over)
	}
	if slices.Equal(lines, s.last) {
		return
	}
	var text strings.Builder
	if s.width > 0 && len(s.last) > 0 {
		fmt.Fprintf(&text, "\x1b[%dA\x1b[J", len(s.last)) // up, and clear what is below
	}
	for _, line := range lines {
		switch {
		case s.width > 0: // one that wraps would be two to go up
			text.WriteString(cut(line, s.width) + "\n")
		case !slices.Contains(s.last, line):
			text.WriteString(line + "\n")
		}
	}
	_, _ = io.WriteString(s.out, text.String()) // who doesn't look any more misses nothing
	s.last = lines
}

// cut is as much of a line as there is room for.
func cut(line string, width int) string {
	if r := []rune(line); len(r) > width {
		return string(r[:width-1]) + "…"
	}
	return line
}
