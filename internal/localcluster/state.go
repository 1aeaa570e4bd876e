package localcluster

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// State is what a cluster's folder says about it. It is written by the process
// that owns the cluster and read by anyone.
type State struct {
	// Spec is what the cluster was last started with.
	Spec Spec `json:"spec"`
	// Owner is the process that runs the cluster, or ran it last.
	Owner Owner `json:"owner"`
	// Ports are kept for the cluster's life.
	Ports map[string]int `json:"ports"`
	// Server is the API server's URL.
	Server string `json:"server"`
	// Kubeconfig is the path of the administrator's kubeconfig.
	Kubeconfig string `json:"kubeconfig"`
	// Notes are what this machine's real nodes cannot do, and what would help.
	Notes []string `json:"notes,omitempty"`
	// Components are in the order of starting.
	Components []ComponentState `json:"components"`
}

// ComponentState says where a component's process and log are.
type ComponentState struct {
	Name string `json:"name"`
	// PID is zero when the component is down.
	PID int    `json:"pid"`
	Log string `json:"log"`
}

var (
	// ErrNoCluster says that a folder holds no cluster.
	ErrNoCluster = errors.New("no local cluster here; start one with: muster-local up")
	// ErrNotRunning says that the cluster in a folder is down.
	ErrNotRunning = errors.New("no local cluster runs here; start one with: muster-local up")
)

// ReadState reads the state in a cluster's folder. It fails with ErrNoCluster
// where there is none.
func ReadState(dir string) (State, error) {
	state, err := readState(layout{dir: dir})
	if err == nil && state.Server == "" {
		return State{}, fmt.Errorf("%s: %w", dir, ErrNoCluster)
	}
	return state, err
}

func readState(paths layout) (State, error) {
	state := State{Ports: map[string]int{}}
	data, err := os.ReadFile(paths.state())
	if errors.Is(err, fs.ErrNotExist) {
		return state, nil
	}
	if err != nil {
		return State{}, fmt.Errorf("read cluster state: %w", err)
	}
	if err := json.Unmarshal(data, &state); err != nil {
		return State{}, fmt.Errorf("read cluster state %s: %w; remove the folder to begin anew", paths.state(), err)
	}
	return state, nil
}

// saveState writes the state file whole or not at all.
func (c *Cluster) saveState() error {
	c.stateMu.Lock()
	defer c.stateMu.Unlock()
	if c.plan != nil {
		c.state.Server = c.plan.outsideURL()
		c.state.Kubeconfig = c.Kubeconfig()
	}
	c.state.Components = nil
	for _, u := range c.units {
		c.state.Components = append(c.state.Components, ComponentState{Name: u.name, PID: u.pid(), Log: u.logFile})
	}
	data, err := json.MarshalIndent(c.state, "", "  ")
	if err != nil {
		return fmt.Errorf("encode cluster state: %w", err)
	}
	temporary, err := os.CreateTemp(filepath.Dir(c.paths.state()), ".cluster-*")
	if err != nil {
		return fmt.Errorf("write cluster state: %w", err)
	}
	_, err = temporary.Write(data)
	if err := errors.Join(err, temporary.Close()); err != nil {
		return errors.Join(fmt.Errorf("write cluster state: %w", err), os.Remove(temporary.Name()))
	}
	if err := os.Rename(temporary.Name(), c.paths.state()); err != nil {
		return fmt.Errorf("write cluster state: %w", err)
	}
	return nil
}

// takeLock makes this process the owner of a cluster's folder until it closes
// the file or ends.
func takeLock(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock cluster folder: %w", err)
	}
	err = unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return nil, errors.Join(fmt.Errorf("a cluster runs in %s already; end it with: muster-local down --dir %s", filepath.Dir(path), filepath.Dir(path)), file.Close())
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock cluster folder: %w", err), file.Close())
	}
	return file, nil
}
