package sparkconf

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// KeyError says which setting of an application can't be used, why, and what to
// write instead.
type KeyError struct {
	// Key is the Spark property, annotation or file at fault.
	Key string
	// Value is what the user wrote; it may be empty.
	Value string
	// Why says what is wrong with the value.
	Why string
	// Cure says what to do about it.
	Cure string
}

// Error names the key, the value, the reason and the cure in one line. What
// users wrote is cut: errors end up in events, which hold 1024 bytes.
func (e *KeyError) Error() string {
	text := fmt.Sprintf("%s=%s %s; %s", shorten(e.Key, 128), strconv.Quote(shorten(e.Value, 64)), shorten(e.Why, 256), shorten(e.Cure, 256))
	return strings.ToValidUTF8(text, "\uFFFD")
}

// shorten cuts text to at most limit bytes, at a character's border.
func shorten(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	cut := limit
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "…"
}
