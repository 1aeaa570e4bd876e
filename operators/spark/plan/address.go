package plan

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
)

// address is the URL at which an Ingress is found.
type address struct {
	scheme, host, port string
	// path is empty, or begins with a slash and doesn't end with one.
	path string
}

// placeholders are what a format of addresses has for an application, as Kubeflow's
// operator writes them.
var placeholders = map[string]*regexp.Regexp{
	"name":      regexp.MustCompile(`{{\s*\$appName\s*}}`),
	"namespace": regexp.MustCompile(`{{\s*\$appNamespace\s*}}`),
	"id":        regexp.MustCompile(`{{\s*\$appId\s*}}`),
}

// address fills in a format, such as https://{{$appName}}.{{$appNamespace}}.example.com.
func (p *planner) address(format string) (address, error) {
	text := format
	for name, value := range map[string]string{"name": p.app.Name, "namespace": p.app.Namespace, "id": p.submission.AppID} {
		text = placeholders[name].ReplaceAllLiteralString(text, value)
	}
	a := address{scheme: "http"}
	scheme, rest, found := strings.Cut(text, "://")
	if found {
		a.scheme, text = scheme, rest
	}
	text, path, _ := strings.Cut(text, "/")
	if path = strings.Trim(path, "/"); path != "" {
		a.path = "/" + path
	}
	a.host, a.port, found = strings.Cut(text, ":")
	return a, a.check(found)
}

var pathPattern = regexp.MustCompile(`^(/[A-Za-z0-9._~-]+)*$`)

func (a address) check(withPort bool) error {
	problems := validation.IsDNS1123Subdomain(a.host)
	if strings.HasPrefix(a.host, "*") {
		problems = validation.IsWildcardDNS1123Subdomain(a.host)
	}
	number, err := strconv.Atoi(a.port)
	switch {
	case a.scheme != "http" && a.scheme != "https":
		return fmt.Errorf("begins with %q; write http:// or https://", a.scheme+"://")
	case len(problems) > 0:
		return fmt.Errorf("has the host %q, which can't be one: %s; write one such as {{$appName}}.{{$appNamespace}}.example.com", a.host, strings.Join(problems, ", "))
	case withPort && (err != nil || number < 1 || number > 65535):
		return fmt.Errorf("has the port %q; write a number from 1 to 65535, or none", a.port)
	case !pathPattern.MatchString(a.path):
		return fmt.Errorf("has the path %q; write one of letters, digits, '-', '.', '_', '~' and '/'", a.path)
	}
	return nil
}

func (a address) String() string {
	host := a.host
	if a.port != "" {
		host += ":" + a.port
	}
	return a.scheme + "://" + host + a.path
}
