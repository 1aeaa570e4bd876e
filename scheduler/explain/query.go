package explain

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	v1 "muster.sh/muster/api/explain/v1"
)

const (
	usualPage = 100
	maxPage   = 500
)

// query is the parameters of a request.
type query struct {
	url.Values
	// after is the last name of the page before, and limit how many there may be on this
	// one.
	after string
	limit int
}

// readQuery reads the parameters that a path knows. Others are refused: who has
// misspelled one must not take everything for what he asked for.
func readQuery(r *http.Request, known ...string) (query, error) {
	q := query{Values: r.URL.Query(), limit: usualPage}
	for name, values := range q.Values {
		if !slices.Contains(known, name) {
			return q, invalid("there is no parameter %s; those of this path are %s", name, strings.Join(known, ", "))
		}
		if len(values) > 1 {
			return q, invalid("%s is given %d times; give it once", name, len(values))
		}
	}
	if text := q.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return q, invalid("limit=%.20s is not a number from 1 on", text)
		}
		q.limit = min(n, maxPage)
	}
	after, err := base64.RawURLEncoding.DecodeString(q.Get("continue"))
	if err != nil {
		return q, invalid("continue is not what the page before said; begin anew without it")
	}
	q.after = string(after)
	return q, nil
}

// token is what continues behind a name.
func token(last string) string { return base64.RawURLEncoding.EncodeToString([]byte(last)) }

func invalid(format string, args ...any) *v1.Problem {
	return &v1.Problem{Title: "the request can't be understood", Status: http.StatusBadRequest, Detail: fmt.Sprintf(format, args...)}
}
