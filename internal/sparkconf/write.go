package sparkconf

import (
	"maps"
	"slices"
	"strings"
)

// WriteProperties writes the text of a spark.properties file, sorted by key, so that
// the same properties make the same text. White space at the end of a value is lost
// when Spark loads the file.
func WriteProperties(props Properties) string {
	var out strings.Builder
	for _, key := range slices.Sorted(maps.Keys(props)) {
		escape(&out, key, true)
		out.WriteByte('=')
		escape(&out, props[key], false)
		out.WriteByte('\n')
	}
	return out.String()
}

// escape writes a key or a value. In a value only a space at its beginning would be
// taken for a part of the separator.
func escape(out *strings.Builder, text string, key bool) {
	for i, r := range text {
		switch {
		case r == ' ' && !key && i > 0:
			out.WriteByte(' ')
		case strings.ContainsRune(` =:#!\`, r):
			out.WriteByte('\\')
			out.WriteRune(r)
		case strings.ContainsRune("\t\n\r\f", r):
			out.WriteByte('\\')
			out.WriteByte("tnrf"[strings.IndexRune("\t\n\r\f", r)])
		default:
			out.WriteRune(r)
		}
	}
}
