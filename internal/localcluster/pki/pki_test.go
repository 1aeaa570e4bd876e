package pki

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"testing"
)

func TestAServerAndAClientTrustEachOther(t *testing.T) {
	ca := open(t, t.TempDir())
	ensure(t, ca, Certificate{File: "server", User: "kube-apiserver", Hosts: []string{"127.0.0.1", "kubernetes.default.svc"}})
	ensure(t, ca, Certificate{File: "admin", User: "admin", Groups: []string{"system:masters"}})
	roots := x509.NewCertPool()
	roots.AddCert(ca.cert)

	clientEnd, serverEnd := net.Pipe()
	server := tls.Server(serverEnd, &tls.Config{
		Certificates: []tls.Certificate{pair(t, ca, "server")}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: roots,
	})
	client := tls.Client(clientEnd, &tls.Config{
		Certificates: []tls.Certificate{pair(t, ca, "admin")}, RootCAs: roots, ServerName: "127.0.0.1",
	})
	failed := make(chan error, 1)
	go func() { failed <- client.Handshake() }()
	if err := server.Handshake(); err != nil {
		t.Errorf("server: %v", err)
	}
	if err := <-failed; err != nil {
		t.Errorf("client: %v", err)
	}
	who := server.ConnectionState().PeerCertificates[0].Subject
	if who.CommonName != "admin" || len(who.Organization) != 1 || who.Organization[0] != "system:masters" {
		t.Errorf("the server takes the client for %s of %v", who.CommonName, who.Organization)
	}
}

func TestCertificatesAreKeptWhileTheyServe(t *testing.T) {
	dir := t.TempDir()
	wanted := Certificate{File: "server", User: "kube-apiserver", Hosts: []string{"127.0.0.1"}}
	tests := []struct {
		name   string
		change func(*Certificate)
		kept   bool
	}{
		{"the same certificate is kept", func(*Certificate) {}, true},
		{"another address makes it anew", func(c *Certificate) { c.Hosts = append(c.Hosts, "192.168.88.1") }, false},
		{"another user makes it anew", func(c *Certificate) { c.User = "someone" }, false},
		{"another group makes it anew", func(c *Certificate) { c.Groups = []string{"some"} }, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			ca := open(t, dir)
			ensure(t, ca, wanted)
			before := read(t, ca.CertFile("server"))
			changed := wanted
			test.change(&changed)
			ensure(t, open(t, dir), changed)
			if kept := bytes.Equal(before, read(t, ca.CertFile("server"))); kept != test.kept {
				t.Errorf("kept: %t, want %t", kept, test.kept)
			}
		})
	}
	t.Run("a certificate of another authority is made anew", func(t *testing.T) {
		ca := open(t, dir)
		ensure(t, ca, wanted)
		for _, file := range []string{ca.CertFile("ca"), ca.KeyFile("ca")} {
			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
		}
		ca = open(t, dir)
		ensure(t, ca, wanted)
		cert, _, err := load(ca.CertFile("server"), ca.KeyFile("server"))
		if err != nil || cert.CheckSignatureFrom(ca.cert) != nil {
			t.Errorf("the new authority has not signed it: %v", err)
		}
	})
}

func TestOnlyTheOwnerCanReadKeys(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "pki")
	ca := open(t, dir)
	ensure(t, ca, Certificate{File: "admin", User: "admin"})
	if err := ca.EnsureKeyPair("service-account"); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %s", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestADamagedFileIsNamed(t *testing.T) {
	dir := t.TempDir()
	ca := open(t, dir)
	if err := os.WriteFile(ca.CertFile("ca"), []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Open(dir, "ca")
	if err == nil || !bytes.Contains([]byte(err.Error()), []byte(ca.CertFile("ca"))) {
		t.Errorf("got %v", err)
	}
}

func open(t *testing.T, dir string) *Authority {
	t.Helper()
	ca, err := Open(dir, "ca")
	if err != nil {
		t.Fatal(err)
	}
	return ca
}

func ensure(t *testing.T, ca *Authority, c Certificate) {
	t.Helper()
	if err := ca.Ensure(c); err != nil {
		t.Fatal(err)
	}
}

func pair(t *testing.T, ca *Authority, name string) tls.Certificate {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(ca.CertFile(name), ca.KeyFile(name))
	if err != nil {
		t.Fatal(err)
	}
	return pair
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
