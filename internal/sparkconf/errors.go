package sparkconf

import (
	"fmt"
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

// maxShownValue bounds how much of a user's value an error repeats, in bytes:
// errors end up in events, which have a size limit of their own.
const maxShownValue = 64

// Error names the key, the value, the reason and the cure in one line.
func (e *KeyError) Error() string {
	return fmt.Sprintf("%s=%q %s; %s", e.Key, shorten(e.Value, maxShownValue), e.Why, e.Cure)
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
