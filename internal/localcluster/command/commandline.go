package command

import (
	"fmt"
	"slices"
)

// SplitCommandLines splits words into the arguments of several programs, as in
//
//	etcd --config-file=F kube-apiserver --secure-port=1
//
// All flags are written --name=value, so a bare word that is one of the
// programs' names begins its arguments.
func SplitCommandLines(words []string, programs ...string) (map[string][]string, error) {
	lines := map[string][]string{}
	current := ""
	for _, word := range words {
		switch {
		case slices.Contains(programs, word):
			current = word
		case current == "":
			return nil, fmt.Errorf("%q belongs to no program; name one of %v first", word, programs)
		default:
			lines[current] = append(lines[current], word)
		}
	}
	return lines, nil
}
