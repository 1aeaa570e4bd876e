package sparkconf

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// settings reads typed values from properties as Spark's own configuration
// entries do. The first value that can't be read is kept in err and turns all
// later reads into no-ops, so that a row of reads needs one check at its end.
type settings struct {
	props   Properties
	version line
	err     error
}

// fail keeps the first error.
func (s *settings) fail(key, value, why, cure string) {
	if s.err == nil {
		s.err = &KeyError{Key: key, Value: value, Why: why, Cure: cure}
	}
}

// text returns the value of the first of the keys that is set, with references
// to other settings resolved. found is false if none is set.
func (s *settings) text(keys ...string) (key, value string, found bool) {
	for _, key := range keys {
		raw, set := s.props[key]
		if !set || s.err != nil {
			continue
		}
		value := s.resolve(key, raw)
		return key, value, s.err == nil
	}
	return "", "", false
}

// integer reads a 32-bit number.
func (s *settings) integer(key string, unset int) int {
	_, text, found := s.text(key)
	if !found {
		return unset
	}
	return s.parseInteger(key, text)
}

func (s *settings) parseInteger(key, text string) int {
	number, err := strconv.ParseInt(trimJava(text), 10, 32)
	if err != nil {
		s.fail(key, text, "is not a whole number of 32 bits", "write a number such as 2")
		return 0
	}
	return int(number)
}

// boolean reads true or false, in any case.
func (s *settings) boolean(unset bool, keys ...string) bool {
	key, text, found := s.text(keys...)
	if !found {
		return unset
	}
	switch strings.ToLower(trimJava(text)) {
	case "true":
		return true
	case "false":
		return false
	}
	s.fail(key, text, "is neither true nor false", "write true or false")
	return unset
}

// memory reads a size in the given unit. found is false if no key is set.
func (s *settings) memory(in unit, keys ...string) (size int64, found bool) {
	key, text, found := s.text(keys...)
	if !found {
		return 0, false
	}
	size, err := parseMemory(text, in, s.version)
	if err != nil {
		s.fail(key, text, err.Error(), "write a whole number with one of the units k, m, g or t, such as 1536m")
		return 0, false
	}
	return size, true
}

// decimalPattern is a finite decimal number as Java writes it. Java also reads
// NaN, Infinity and hexadecimal fractions, of which no sane factor is made.
var decimalPattern = regexp.MustCompile(`^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?[fFdD]?$`)

// decimal reads a floating point number.
func (s *settings) decimal(key string, unset float64) float64 {
	_, text, found := s.text(key)
	if !found {
		return unset
	}
	trimmed := trimJava(text)
	if !decimalPattern.MatchString(trimmed) {
		s.fail(key, text, "is not a finite decimal number", "write a number such as 0.1")
		return unset
	}
	number, err := strconv.ParseFloat(strings.TrimRight(trimmed, "fFdD"), 64)
	if err != nil {
		s.fail(key, text, "is too large a number", "write a number such as 0.1")
		return unset
	}
	return number
}

// withPrefix returns what follows the prefix in every key that has it, with the
// value as it is written: Spark resolves no references in these.
func (s *settings) withPrefix(prefix string) map[string]string {
	found := map[string]string{}
	for key, value := range s.props {
		if rest, ok := strings.CutPrefix(key, prefix); ok {
			found[rest] = value
		}
	}
	return found
}

// referencePattern is a reference of the form ${key} or ${source:key}.
var referencePattern = regexp.MustCompile(`\$\{(?:(\w+?):)?(\S+?)\}`)

// Bounds on references, far above what anyone writes by hand: each level may
// multiply the length.
const (
	maxReferenceDepth = 16
	maxResolvedBytes  = 4096
)

// resolve replaces the references to other settings in a value.
func (s *settings) resolve(key, value string) string {
	for depth := 0; strings.Contains(value, "${") && referencePattern.MatchString(value); depth++ {
		if depth == maxReferenceDepth || len(value) > maxResolvedBytes {
			s.fail(key, s.props[key], "refers to settings in a circle or without end", "write the value itself")
			return ""
		}
		replaced := referencePattern.ReplaceAllStringFunc(value, func(reference string) string {
			return s.refer(key, value, reference)
		})
		if s.err != nil {
			return ""
		}
		value = replaced
	}
	return value
}

// refer returns the value that one reference stands for.
func (s *settings) refer(key, value, reference string) string {
	parts := referencePattern.FindStringSubmatch(reference)
	if source := parts[1]; source != "" {
		s.fail(key, value, fmt.Sprintf("refers to %s, which is known only inside the driver", reference), "write the value itself")
		return ""
	}
	referred, set := s.props[parts[2]]
	if !set {
		s.fail(key, value, fmt.Sprintf("refers to %s, which is not set", reference), "set it, or write the value itself")
	}
	return referred
}
