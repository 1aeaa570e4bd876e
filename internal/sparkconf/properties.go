package sparkconf

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
)

// Properties are Spark settings by key, as a driver reads them from its
// properties file.
type Properties map[string]string

// MaxTextBytes bounds the texts that this package reads. A ConfigMap can't hold
// more than that.
const MaxTextBytes = 1 << 20

// propertiesFile is how errors call the text as a whole.
const propertiesFile = "spark.properties"

// ReadProperties reads the text of a spark.properties file: the format of
// java.util.Properties, with each value trimmed as Spark does on loading. A key
// that occurs twice has its last value. The error is a *KeyError.
func ReadProperties(text string) (Properties, error) {
	if len(text) > MaxTextBytes {
		return nil, &KeyError{
			Key:  propertiesFile,
			Why:  fmt.Sprintf("is %d bytes long, more than the %d that a ConfigMap can hold", len(text), MaxTextBytes),
			Cure: "pass fewer or shorter settings",
		}
	}
	props := Properties{}
	lines := lineReader{rest: text}
	for {
		line, ok := lines.next()
		if !ok {
			return props, nil
		}
		rawKey, rawValue := splitEntry(line)
		key, err := unescape(rawKey)
		if err != nil {
			return nil, err
		}
		value, err := unescape(rawValue)
		if err != nil {
			return nil, err
		}
		props[key] = trimValue(value)
	}
}

// lineReader yields logical lines: comments and blank lines left out,
// continuation lines joined, escapes still in place.
type lineReader struct {
	rest string
}

// next returns the next logical line that holds an entry.
func (r *lineReader) next() (string, bool) {
	for r.rest != "" {
		line := strings.TrimLeft(r.natural(), blanks)
		if line == "" || line[0] == '#' || line[0] == '!' {
			continue
		}
		var joined strings.Builder
		for endsInBackslash(line) {
			joined.WriteString(line[:len(line)-1])
			if r.rest == "" {
				return joined.String(), true
			}
			line = strings.TrimLeft(r.natural(), blanks)
		}
		joined.WriteString(line)
		if joined.Len() > 0 {
			return joined.String(), true
		}
	}
	return "", false
}

// natural takes one line of the text, without its terminator (LF, CR or CRLF).
func (r *lineReader) natural() string {
	end := strings.IndexAny(r.rest, "\r\n")
	if end < 0 {
		line := r.rest
		r.rest = ""
		return line
	}
	line := r.rest[:end]
	skip := 1
	if strings.HasPrefix(r.rest[end:], "\r\n") {
		skip = 2
	}
	r.rest = r.rest[end+skip:]
	return line
}

// blanks are the characters that the format counts as white space within a
// line.
const blanks = " \t\f"

// endsInBackslash says whether an odd number of backslashes ends the line: the
// last of them continues it, the others are escaped ones.
func endsInBackslash(line string) bool {
	count := len(line) - len(strings.TrimRight(line, `\`))
	return count%2 == 1
}

// splitEntry divides a logical line at the first separator that isn't escaped:
// white space, one of "=" and ":", or both.
func splitEntry(line string) (key, value string) {
	end := 0
	for end < len(line) && !strings.ContainsRune(blanks+"=:", rune(line[end])) {
		if line[end] == '\\' {
			end++
		}
		end++
	}
	end = min(end, len(line))
	value = strings.TrimLeft(line[end:], blanks)
	if value != "" && (value[0] == '=' || value[0] == ':') {
		value = strings.TrimLeft(value[1:], blanks)
	}
	return line[:end], value
}

// unescape resolves the escapes of a key or value. \uXXXX is a UTF-16 unit, so
// a character beyond the basic plane takes two of them.
func unescape(text string) (string, error) {
	if !strings.Contains(text, `\`) {
		return text, nil
	}
	var out strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' || i+1 == len(text) {
			out.WriteByte(text[i])
			continue
		}
		i++
		if text[i] != 'u' {
			out.WriteByte(plainEscape(text[i]))
			continue
		}
		units, length, err := unicodeEscapes(text[i-1:])
		if err != nil {
			return "", err
		}
		out.WriteString(string(utf16.Decode(units)))
		i += length - 2
	}
	return out.String(), nil
}

// plainEscape is the byte that a backslash before c stands for.
func plainEscape(c byte) byte {
	switch c {
	case 't':
		return '\t'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 'f':
		return '\f'
	}
	return c
}

// unicodeEscapes reads the run of \uXXXX that text begins with, so that
// surrogate pairs meet; length is that of the run in bytes.
func unicodeEscapes(text string) (units []uint16, length int, err error) {
	for strings.HasPrefix(text[length:], `\u`) {
		end := min(length+6, len(text))
		unit, parseErr := strconv.ParseUint(text[length+2:end], 16, 16)
		if parseErr != nil || end-length < 6 {
			return nil, 0, &KeyError{
				Key:   propertiesFile,
				Value: text[length:end],
				Why:   `is not a Unicode escape of the form \uXXXX`,
				Cure:  `write four hexadecimal digits after \u, or double the backslash`,
			}
		}
		units = append(units, uint16(unit))
		length = end
	}
	return units, length, nil
}

// trimValue removes white space and control characters around a value, but
// keeps line breaks: those that are left were escaped, and so are meant.
func trimValue(value string) string {
	return strings.TrimFunc(value, func(r rune) bool {
		return r <= ' ' && r != '\r' && r != '\n'
	})
}
