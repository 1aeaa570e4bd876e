package localcluster

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"time"
)

const loopback = "127.0.0.1"

// component is one child process to be, as a plain value.
type component struct {
	// name is what users call it; its log file has the same name.
	name string
	// binary is the program's file, args all its arguments.
	binary string
	args   []string
	// ready asks once whether it serves; nil means that it is ready when it runs.
	ready func(ctx context.Context) error
	// grace is the time between asking it to stop and killing it.
	grace time.Duration
}

// servesHTTPS returns a readiness check that asks for url, trusting the
// authority in caFile.
func servesHTTPS(url, caFile string) func(context.Context) error {
	return func(ctx context.Context) error {
		pem, err := os.ReadFile(caFile)
		if err != nil {
			return err
		}
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(pem)
		transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}
		defer transport.CloseIdleConnections()
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		response, err := (&http.Client{Transport: transport, Timeout: 5 * time.Second}).Do(request)
		if err != nil {
			return err
		}
		defer func() { _ = response.Body.Close() }()
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("%s answers %s", url, response.Status)
		}
		return nil
	}
}
