package submission

import (
	"regexp"
	"strings"
)

// maxLabel is the length of a DNS label, which a service's name and a label's value
// may not exceed.
const maxLabel = 63

var (
	notInNames   = regexp.MustCompile(`[^a-z0-9-]`)
	dashes       = regexp.MustCompile(`-+`)
	leadingDigit = regexp.MustCompile(`^[0-9]`)
)

// namePrefix is what the names of an application's objects begin with.
func namePrefix(appName, uniqueID string) string {
	return leadingDigit.ReplaceAllString(strings.TrimPrefix(dashed(appName+"-"+uniqueID), "-"), "x")
}

// nameLabel is the name of an application as the value of a label.
func nameLabel(appName string) string {
	label := dashed(appName)
	label = label[:min(len(label), maxLabel)]
	return strings.TrimSuffix(strings.TrimPrefix(label, "-"), "-")
}

// dashed is a text in small letters, digits and single dashes.
func dashed(text string) string {
	text = strings.ToLower(strings.TrimFunc(text, func(r rune) bool { return r <= ' ' }))
	return dashes.ReplaceAllString(notInNames.ReplaceAllString(text, "-"), "-")
}
