// Package pki issues the certificates of a local cluster. Everything is kept in
// one folder as PEM files, with elliptic-curve keys: they are made in
// milliseconds, so that a cluster starts quickly.
package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// validity is how long certificates last. A local cluster has no rotation, and
// outliving it must not be what breaks it.
const validity = 10 * 365 * 24 * time.Hour

// Authority signs certificates and keeps them in its folder.
type Authority struct {
	dir  string
	cert *x509.Certificate
	key  crypto.Signer
}

// Open loads the authority called name (ca, etcd-ca…) from dir, and makes it
// first if dir does not hold it yet.
func Open(dir, name string) (*Authority, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make certificate folder: %w", err)
	}
	a := &Authority{dir: dir}
	cert, key, err := load(a.CertFile(name), a.KeyFile(name))
	if errors.Is(err, fs.ErrNotExist) {
		cert, key, err = a.create(name)
	}
	if err != nil {
		return nil, fmt.Errorf("certificate authority %s: %w", name, err)
	}
	a.cert, a.key = cert, key
	return a, nil
}

// Certificate says what a certificate is for.
type Certificate struct {
	// File is the base name of the certificate's and the key's file.
	File string
	// User and Groups are what the API server takes the holder for.
	User   string
	Groups []string
	// Hosts are the names and IP addresses that a server answers to. A
	// certificate without hosts is a client's only.
	Hosts []string
}

// Ensure makes the certificate unless the folder holds one for the same
// subject and hosts, signed by this authority.
func (a *Authority) Ensure(c Certificate) error {
	old, _, err := load(a.CertFile(c.File), a.KeyFile(c.File))
	if err == nil && a.serves(old, c) {
		return nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("certificate %s: %w", c.File, err)
	}
	if err := a.issue(c); err != nil {
		return fmt.Errorf("certificate %s: %w", c.File, err)
	}
	return nil
}

// EnsureKeyPair makes a bare key pair (NAME.key, NAME.pub) such as the one
// that signs service account tokens.
func (a *Authority) EnsureKeyPair(name string) error {
	public := filepath.Join(a.dir, name+".pub")
	if _, err := os.Stat(public); err == nil {
		return nil
	}
	key, err := newKey()
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return fmt.Errorf("encode public key %s: %w", name, err)
	}
	if err := writeKey(a.KeyFile(name), key); err != nil {
		return err
	}
	return writePEM(public, "PUBLIC KEY", der)
}

// CertFile is the path of a certificate.
func (a *Authority) CertFile(name string) string { return filepath.Join(a.dir, name+".crt") }

// KeyFile is the path of a private key.
func (a *Authority) KeyFile(name string) string { return filepath.Join(a.dir, name+".key") }

// PublicKeyFile is the path of the public half of a bare key pair.
func (a *Authority) PublicKeyFile(name string) string { return filepath.Join(a.dir, name+".pub") }

func (a *Authority) serves(cert *x509.Certificate, c Certificate) bool {
	if cert.CheckSignatureFrom(a.cert) != nil || cert.Subject.CommonName != c.User {
		return false
	}
	if fmt.Sprint(cert.Subject.Organization) != fmt.Sprint(c.Groups) {
		return false
	}
	for _, host := range c.Hosts {
		if cert.VerifyHostname(host) != nil {
			return false
		}
	}
	return time.Now().Before(cert.NotAfter)
}

func (a *Authority) create(name string) (*x509.Certificate, crypto.Signer, error) {
	key, err := newKey()
	if err != nil {
		return nil, nil, err
	}
	template, err := newTemplate(pkix.Name{CommonName: name})
	if err != nil {
		return nil, nil, err
	}
	template.IsCA = true
	template.BasicConstraintsValid = true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, nil, fmt.Errorf("sign: %w", err)
	}
	if err := writeKey(a.KeyFile(name), key); err != nil {
		return nil, nil, err
	}
	if err := writePEM(a.CertFile(name), "CERTIFICATE", der); err != nil {
		return nil, nil, err
	}
	cert, err := x509.ParseCertificate(der)
	return cert, key, err
}

func (a *Authority) issue(c Certificate) error {
	key, err := newKey()
	if err != nil {
		return err
	}
	template, err := newTemplate(pkix.Name{CommonName: c.User, Organization: c.Groups})
	if err != nil {
		return err
	}
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	if len(c.Hosts) > 0 {
		template.ExtKeyUsage = append(template.ExtKeyUsage, x509.ExtKeyUsageServerAuth)
	}
	for _, host := range c.Hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		return fmt.Errorf("sign: %w", err)
	}
	if err := writeKey(a.KeyFile(c.File), key); err != nil {
		return err
	}
	return writePEM(a.CertFile(c.File), "CERTIFICATE", der)
}

func newKey() (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make key: %w", err)
	}
	return key, nil
}

func newTemplate(subject pkix.Name) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, fmt.Errorf("make serial number: %w", err)
	}
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      subject,
		NotBefore:    now.Add(-time.Hour), // clocks of containers and hosts differ a little
		NotAfter:     now.Add(validity),
	}, nil
}

func writeKey(path string, key crypto.Signer) error {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fmt.Errorf("encode key: %w", err)
	}
	return writePEM(path, "PRIVATE KEY", der)
}

func writePEM(path, kind string, der []byte) error {
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		return fmt.Errorf("write %s: %w", kind, err)
	}
	return nil
}

func load(certFile, keyFile string) (*x509.Certificate, crypto.Signer, error) {
	certDER, err := readPEM(certFile)
	if err != nil {
		return nil, nil, err
	}
	keyDER, err := readPEM(keyFile)
	if err != nil {
		return nil, nil, err
	}
	cert, err := x509.ParseCertificate(certDER)
	if err != nil {
		return nil, nil, fmt.Errorf("parse %s: %w", certFile, err)
	}
	key, err := x509.ParsePKCS8PrivateKey(keyDER)
	if err != nil {
		return nil, nil, fmt.Errorf("parse %s: %w", keyFile, err)
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, nil, fmt.Errorf("parse %s: a %T cannot sign", keyFile, key)
	}
	return cert, signer, nil
}

func readPEM(path string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, fmt.Errorf("%s holds no PEM block; remove the file to have it made again", path)
	}
	return block.Bytes, nil
}
