// Package cgroup gives every local node a control group of its own, below the
// one that this process is in, on machines with cgroup v1, v2, or both.
// Nothing above that group is ever written to.
package cgroup

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Mode is how a machine's control groups can be used.
type Mode string

const (
	// V1 has the controllers on hierarchies of version 1. Limits are enforced.
	V1 Mode = "v1"
	// V2 has them on the unified hierarchy. Limits are enforced.
	V2 Mode = "v2"
	// V2Bare has a unified hierarchy whose controllers are not ours to use:
	// they are not delegated, or are in use by version 1. Processes are
	// grouped, but nothing limits them.
	V2Bare Mode = "v2-without-controllers"
)

// EnforcesLimits tells whether a container's CPU and memory limits hold.
func (m Mode) EnforcesLimits() bool { return m == V1 || m == V2 }

// required are the controllers without which a kubelet does not start, or
// limits do not hold. On version 2 a kubelet does without cpuset, which systemd
// hands down only where somebody asks for it: nobody does on a machine that one
// has just logged in to.
var (
	requiredV1 = []string{"cpu", "cpuacct", "cpuset", "memory", "pids"}
	requiredV2 = []string{"cpu", "memory", "pids"}
)

// Hierarchy is one mounted hierarchy of control groups.
type Hierarchy struct {
	// Controllers is the hierarchy's mount option, such as "cpu,cpuacct" or
	// "name=systemd"; empty for the unified hierarchy.
	Controllers string `json:"controllers"`
	// Parent is the folder in which groups of ours are made.
	Parent string `json:"parent"`
}

// Host is what a machine offers.
type Host struct {
	Mode        Mode        `json:"mode"`
	Hierarchies []Hierarchy `json:"hierarchies"`
	// Lacking names the controllers that would be needed for limits, where
	// those are not enforced.
	Lacking []string `json:"lacking,omitempty"`
}

// ErrNone tells that the machine has no control groups that can be used.
var ErrNone = errors.New("no usable cgroups: mount cgroup2 on /sys/fs/cgroup, or all cgroup v1 controllers")

// Detect returns how this machine's control groups can be used: the way with
// most enforcement, or the wanted one if that is not empty.
func Detect(want Mode) (Host, error) {
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return Host{}, fmt.Errorf("find cgroups: %w", err)
	}
	own, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return Host{}, fmt.Errorf("find own cgroup: %w", err)
	}
	hosts := possible(hierarchies(string(mounts), string(own)), delegated)
	for _, host := range hosts {
		if want == "" || host.Mode == want {
			return host, nil
		}
	}
	if len(hosts) > 0 {
		return Host{}, fmt.Errorf("cgroups can be used here as %s, not as %s", hosts[0].Mode, want)
	}
	return Host{}, ErrNone
}

// mounted is a hierarchy as found: its options, its mount point, and the
// folder of this process's own group.
type mounted struct {
	controllers string
	top, own    string
}

// hierarchies joins /proc/self/mountinfo and /proc/self/cgroup. The unified
// hierarchy has no controllers in its name.
func hierarchies(mountinfo, selfCgroup string) []mounted {
	groups := map[string]string{}
	for line := range strings.Lines(selfCgroup) {
		if fields := strings.SplitN(strings.TrimSpace(line), ":", 3); len(fields) == 3 {
			groups[fields[1]] = fields[2]
		}
	}
	found := map[string]mounted{}
	for line := range strings.Lines(mountinfo) {
		root, point, kind, options, ok := parseMount(line)
		if !ok {
			continue
		}
		controllers := ""
		if kind == "cgroup" {
			controllers = controllersOf(options, groups)
			if controllers == "" {
				continue
			}
		}
		group, member := groups[controllers]
		relative, err := filepath.Rel(root, group)
		if !member || err != nil || strings.HasPrefix(relative, "..") {
			continue // another part of the tree is mounted there
		}
		if _, again := found[controllers]; !again {
			found[controllers] = mounted{controllers, point, filepath.Join(point, relative)}
		}
	}
	var list []mounted
	for _, name := range slices.Sorted(maps.Keys(found)) {
		list = append(list, found[name])
	}
	return list
}

// parseMount takes a line of mountinfo apart; ok is false for anything but
// cgroups.
func parseMount(line string) (root, point, kind, options string, ok bool) {
	before, after, found := strings.Cut(strings.TrimSpace(line), " - ")
	left, right := strings.Fields(before), strings.Fields(after)
	if !found || len(left) < 6 || len(right) < 3 {
		return "", "", "", "", false
	}
	kind = right[0]
	return left[3], left[4], kind, right[2], kind == "cgroup" || kind == "cgroup2"
}

// controllersOf finds which of this process's hierarchies has these mount
// options, which name its controllers among other words.
func controllersOf(options string, groups map[string]string) string {
	words := strings.Split(options, ",")
	for name := range groups {
		if name == "" {
			continue
		}
		all := true
		for _, controller := range strings.Split(name, ",") {
			all = all && slices.Contains(words, controller)
		}
		if all {
			return name
		}
	}
	return ""
}

// delegated returns the controllers that a child of the group would have.
func delegated(group string) []string {
	data, err := os.ReadFile(filepath.Join(group, "cgroup.subtree_control"))
	if err != nil {
		return nil
	}
	return strings.Fields(string(data))
}

// possible lists the ways to use the hierarchies, the best first.
func possible(found []mounted, delegated func(group string) []string) []Host {
	var hosts []Host
	var v1 Host
	var controllers []string
	v1.Mode = V1
	for _, m := range found {
		if m.controllers != "" {
			v1.Hierarchies = append(v1.Hierarchies, Hierarchy{m.controllers, m.own})
			controllers = append(controllers, strings.Split(m.controllers, ",")...)
		}
	}
	if len(lacking(requiredV1, controllers)) == 0 {
		hosts = append(hosts, v1)
	}
	if len(found) > 0 && found[0].controllers == "" {
		hosts = append(hosts, unified(found[0], delegated)...)
	}
	return hosts
}

// unified lists the ways to use the unified hierarchy. A group that has
// processes of its own, as this process's nearly always has, can't give
// controllers to its children; the top of the tree can.
func unified(m mounted, delegated func(group string) []string) []Host {
	bare := Host{
		Mode:        V2Bare,
		Hierarchies: []Hierarchy{{Parent: m.own}},
		Lacking:     lacking(requiredV2, delegated(m.top)),
	}
	for _, parent := range []string{m.own, m.top} {
		if len(lacking(requiredV2, delegated(parent))) == 0 {
			return []Host{{Mode: V2, Hierarchies: []Hierarchy{{Parent: parent}}}, bare}
		}
	}
	return []Host{bare}
}

func lacking(required, present []string) []string {
	var missing []string
	for _, r := range required {
		if !slices.Contains(present, r) {
			missing = append(missing, r)
		}
	}
	return missing
}
