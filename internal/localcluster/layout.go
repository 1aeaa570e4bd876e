package localcluster

import (
	"fmt"
	"os"
	"path/filepath"
)

// layout names the files in a cluster's folder.
type layout struct{ dir string }

func (l layout) pki() string                   { return filepath.Join(l.dir, "pki") }
func (l layout) logs() string                  { return filepath.Join(l.dir, "logs") }
func (l layout) log(component string) string   { return filepath.Join(l.logs(), component+".log") }
func (l layout) kubeconfigs() string           { return filepath.Join(l.dir, "kubeconfig") }
func (l layout) kubeconfig(user string) string { return filepath.Join(l.kubeconfigs(), user+".yaml") }
func (l layout) config() string                { return filepath.Join(l.dir, "config") }
func (l layout) configFile(name string) string { return filepath.Join(l.config(), name+".yaml") }
func (l layout) etcdData() string              { return filepath.Join(l.dir, "etcd") }
func (l layout) auditPolicy() string           { return l.configFile("audit-policy") }
func (l layout) auditLog() string              { return filepath.Join(l.dir, "audit.log") }
func (l layout) nodes() string                 { return filepath.Join(l.dir, "nodes") }
func (l layout) state() string                 { return filepath.Join(l.dir, "cluster.json") }
func (l layout) lock() string                  { return filepath.Join(l.dir, "lock") }

// create makes the folders. They are the owner's alone: keys lie in them.
func (l layout) create() error {
	for _, dir := range []string{l.dir, l.pki(), l.logs(), l.kubeconfigs(), l.config()} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("make cluster folder: %w", err)
		}
	}
	return nil
}

// remove deletes what a cluster wrote, and the folder if nothing else is in it.
func (l layout) remove() error {
	for _, path := range []string{l.nodes(), l.etcdData(), l.pki(), l.kubeconfigs(), l.config(), l.logs(), l.auditLog(), l.state(), l.lock()} {
		if err := os.RemoveAll(path); err != nil {
			return fmt.Errorf("remove cluster state: %w", err)
		}
	}
	// A folder that holds files of others stays, and that is no error.
	_ = os.Remove(l.dir)
	return nil
}
