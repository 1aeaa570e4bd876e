package progress

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

const (
	// maxAnswer is how much of an answer is read. Spark keeps 1000 jobs, of some hundred
	// bytes each.
	maxAnswer = 1 << 20
	maxHeader = 1 << 14
)

// Reader asks drivers.
type Reader struct {
	client http.Client
}

// NewReader makes a Reader that waits for an answer for so long, and goes nowhere else
// than to the driver.
func NewReader(timeout time.Duration) *Reader {
	return &Reader{client: http.Client{
		Timeout: timeout,
		// There is no proxy, and no connection that a driver could keep.
		Transport:     &http.Transport{DisableKeepAlives: true, DisableCompression: true, MaxResponseHeaderBytes: maxHeader},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// errTooLarge says that there is more than a driver of Spark's would say.
var errTooLarge = errors.New("the driver's answer is too large")

// Read asks the driver at an address, HOST:PORT, how far an application has come.
func (r *Reader) Read(ctx context.Context, address, applicationID string) (Progress, error) {
	at := (&url.URL{Scheme: "http", Host: address, Path: "/api/v1/applications"}).JoinPath(url.PathEscape(applicationID), "jobs")
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		return Progress{}, err
	}
	response, err := r.client.Do(request)
	if err != nil {
		return Progress{}, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return Progress{}, fmt.Errorf("the driver answers with status %d", response.StatusCode)
	}
	answer := &io.LimitedReader{R: response.Body, N: maxAnswer}
	p, err := parse(answer)
	if answer.N <= 0 {
		return Progress{}, errTooLarge
	}
	return p, err
}
