package sparkconf

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// unit is a number of bytes that a memory setting counts in.
type unit int64

// Spark's memory settings are in one of these, unless they name another.
const (
	oneByte unit = 1
	mib     unit = 1 << 20
)

// units are those that a memory string may name, by their letter.
var units = map[byte]unit{'b': 1, 'k': 1 << 10, 'm': 1 << 20, 'g': 1 << 30, 't': 1 << 40, 'p': 1 << 50}

var (
	memoryPattern   = regexp.MustCompile(`^([0-9]+)([a-z]+)?$`)
	fractionPattern = regexp.MustCompile(`^[0-9]+\.[0-9]+([a-z]+)?$`)
)

// parseMemory reads a memory string such as 512m, 1g or 2T as Spark does and
// returns it in the given unit, rounded down. A number without a suffix is in
// that unit already. A leading minus sign is read, as Spark's settings allow it.
func parseMemory(text string, in unit, version line) (int64, error) {
	unsigned, negative := strings.CutPrefix(text, "-")
	lower := strings.ToLower(trimJava(unsigned))
	match := memoryPattern.FindStringSubmatch(lower)
	if match == nil {
		if fractionPattern.MatchString(lower) {
			return 0, fmt.Errorf("is a fraction, which Spark doesn't read")
		}
		return 0, fmt.Errorf("is not a size such as 512m, 2g or 1t")
	}
	count, err := strconv.ParseInt(match[1], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("is too large a number")
	}
	from, err := suffixUnit(match[2], in, version)
	if err != nil {
		return 0, err
	}
	size, err := convert(count, from, in)
	if err != nil {
		return 0, err
	}
	if negative {
		size = -size
	}
	return size, nil
}

// suffixUnit is the unit that a suffix stands for: k or kb, and ki or kib since
// Spark 4.2, all of them multiples of 1024.
func suffixUnit(suffix string, unset unit, version line) (unit, error) {
	if suffix == "" {
		return unset, nil
	}
	named, known := units[suffix[0]]
	switch rest := suffix[1:]; rest {
	case "":
	case "b":
		known = known && named != oneByte
	case "i", "ib":
		known = known && named != oneByte && !version.before(line{4, 2})
	default:
		known = false
	}
	if !known {
		return 0, fmt.Errorf("has the unit %q, which Spark doesn't know", suffix)
	}
	return named, nil
}

// convert counts the same size in another unit. Both are powers of two.
func convert(count int64, from, to unit) (int64, error) {
	if from < to {
		return count / int64(to/from), nil
	}
	ratio := int64(from / to)
	if count > math.MaxInt64/ratio {
		return 0, fmt.Errorf("is too large a number")
	}
	return count * ratio, nil
}

// trimJava removes what java.lang.String.trim does: spaces and control
// characters.
func trimJava(text string) string {
	return strings.TrimFunc(text, func(r rune) bool { return r <= ' ' })
}
