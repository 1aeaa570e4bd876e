package localcluster

import (
	"fmt"
	"net/http"
	"os"
	"strconv"
	"time"
)

// program is a process of somebody else's.
func (b *blueprint) program(spec ProgramSpec) (component, error) {
	t := b.terms(spec)
	c := component{
		name: spec.Name, binary: spec.Binary, grace: 15 * time.Second,
		args: t.expand(spec.Args...), env: t.expand(spec.Env...),
	}
	ready, config := t.expand(spec.Ready)[0], t.expand(spec.Config)[0]
	if len(t.unknown) > 0 {
		return c, fmt.Errorf("program %s: $%s stands for nothing; ports must be named in its Ports", spec.Name, t.unknown[0])
	}
	if ready != "" {
		c.ready = b.probe(ready, &http.Transport{})
	}
	if config == "" {
		return c, nil
	}
	if err := os.WriteFile(b.paths.configFile(spec.Name), []byte(config), 0o600); err != nil {
		return c, fmt.Errorf("write configuration of %s: %w", spec.Name, err)
	}
	return c, nil
}

// terms are the names in a program's values, with what each stands for.
type terms struct {
	known   map[string]string
	unknown []string // names that were met but stand for nothing
}

func (b *blueprint) terms(spec ProgramSpec) *terms {
	known := map[string]string{
		"$":          "$",
		"KUBECONFIG": b.paths.kubeconfig(spec.Name),
		"CONFIG":     b.paths.configFile(spec.Name),
		"HOST":       b.net.bind,
		"API_PORT":   strconv.Itoa(b.ports[portAPIServer]),
	}
	for _, port := range spec.Ports {
		known[port] = strconv.Itoa(b.ports[spec.port(port)])
	}
	return &terms{known: known}
}

// expand puts in what the names stand for.
func (t *terms) expand(values ...string) []string {
	var expanded []string
	for _, value := range values {
		expanded = append(expanded, os.Expand(value, func(name string) string {
			meaning, ok := t.known[name]
			if !ok {
				t.unknown = append(t.unknown, name)
			}
			return meaning
		}))
	}
	return expanded
}
