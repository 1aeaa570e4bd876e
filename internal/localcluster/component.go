package localcluster

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
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
	// env is added to this process's own environment.
	env []string
	// ready asks once whether it serves; nil means that it is ready when it runs.
	ready func(ctx context.Context) error
	// grace is the time between asking it to stop and killing it.
	grace time.Duration
}

// probeTimeout bounds one question for readiness.
const probeTimeout = 5 * time.Second

// serves returns a readiness check by HTTPS on a port in the cluster's network.
func (b *blueprint) serves(port, path string) func(context.Context) error {
	return func(ctx context.Context) error {
		pem, err := os.ReadFile(b.ca.CertFile("ca"))
		if err != nil {
			return err
		}
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(pem)
		transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}
		return b.probe(b.url(port, path), transport)(ctx)
	}
}

// probe returns a readiness check that asks for a URL in the cluster's network.
func (b *blueprint) probe(url string, transport *http.Transport) func(context.Context) error {
	if b.net.dial != nil {
		transport.DialContext = func(_ context.Context, _, address string) (net.Conn, error) { return b.net.dial(address) }
	}
	transport.DisableKeepAlives = true
	client := &http.Client{Transport: transport, Timeout: probeTimeout}
	return func(ctx context.Context) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		response, err := client.Do(request)
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
