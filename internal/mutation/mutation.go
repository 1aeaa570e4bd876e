// Package mutation makes wrong manifests of right ones, for tests of what reads them.
package mutation

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"pgregory.net/rapid"
)

// values are put in the place of others, by their type: at the edges of what fits, and some
// that a field might really have.
var values = [][]any{
	{nil, true, false},
	{[]any{}},
	{map[string]any{}},
	{int64(0), int64(-1), int64(1), int64(3), int64(1<<31 - 1), int64(1 << 31), int64(1 << 40)},
	{
		"", "a", "-1", "2", "500m", "1g", " 2G ", "1.5g", "2gi", "9999999999g", "${spark.app.name}",
		"/x", "file:/x", "local:///x.py", "3.5.1", "4.9", "client", "muster", "Always", "Never", "Chief", "worker",
		"@daily", "* * * * *", strings.Repeat("x", 300),
	},
}

// Of drops or replaces something in a document, which is changed.
func Of(t *rapid.T, document any) any {
	const replace, drop = 0, 1
	switch d := document.(type) {
	case map[string]any:
		if len(d) == 0 {
			break
		}
		key := rapid.SampledFrom(slices.Sorted(maps.Keys(d))).Draw(t, "key")
		switch rapid.IntRange(0, 19).Draw(t, "deeper") {
		case replace:
			return another(t, d)
		case drop:
			delete(d, key)
		default:
			d[key] = Of(t, d[key])
		}
		return d
	case []any:
		if len(d) > 0 && rapid.IntRange(0, 19).Draw(t, "deeper") != replace {
			i := rapid.IntRange(0, len(d)-1).Draw(t, "index")
			d[i] = Of(t, d[i])
			return d
		}
	}
	return another(t, document)
}

// another is a value that is mostly of the same type.
func another(t *rapid.T, value any) any {
	group := rapid.SampledFrom(values).Draw(t, "type")
	for _, same := range values {
		if reflect.TypeOf(same[len(same)-1]) == reflect.TypeOf(value) && rapid.IntRange(0, 4).Draw(t, "same") > 0 {
			group = same
		}
	}
	return rapid.SampledFrom(group).Draw(t, "value")
}
