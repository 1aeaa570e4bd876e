package cgroup

import (
	"errors"
	"reflect"
	"slices"
	"testing"
)

// Lines of /proc/self/mountinfo and /proc/self/cgroup, as machines have them.
const (
	v1Mounts = `24 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 25 0:26 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:9 - cgroup cgroup rw,cpu,cpuacct
31 25 0:27 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset,clone_children
32 25 0:28 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
33 25 0:29 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids
34 25 0:30 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd
`
	unifiedBeside = `35 25 0:31 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
`
	v1Groups = `9:cpu,cpuacct:/
8:cpuset:/
7:memory:/user.slice
6:pids:/
1:name=systemd:/user.slice/session-1.scope
0::/user.slice/session-1.scope
`
	v2Mounts = `24 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
35 25 0:31 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate
`
	v2Groups = "0::/user.slice/session-1.scope\n"
)

var all = []string{"cpuset", "cpu", "io", "memory", "hugetlb", "pids"}

func TestPossibleWaysToUseControlGroups(t *testing.T) {
	const top, own = "/sys/fs/cgroup", "/sys/fs/cgroup/user.slice/session-1.scope"
	cases := map[string]struct {
		mounts, groups string
		delegated      map[string][]string
		want           []Host
	}{
		"version 1 alone": {
			mounts: v1Mounts, groups: v1Groups,
			want: []Host{{Mode: V1, Hierarchies: []Hierarchy{
				{"cpu,cpuacct", "/sys/fs/cgroup/cpu,cpuacct"},
				{"cpuset", "/sys/fs/cgroup/cpuset"},
				{"memory", "/sys/fs/cgroup/memory/user.slice"},
				{"name=systemd", "/sys/fs/cgroup/systemd/user.slice/session-1.scope"},
				{"pids", "/sys/fs/cgroup/pids"},
			}}},
		},
		"both versions, controllers on version 1": {
			mounts: v1Mounts + unifiedBeside, groups: v1Groups,
			delegated: map[string][]string{"/sys/fs/cgroup/unified": {"hugetlb"}},
			want: []Host{
				{Mode: V1, Hierarchies: []Hierarchy{
					{"cpu,cpuacct", "/sys/fs/cgroup/cpu,cpuacct"},
					{"cpuset", "/sys/fs/cgroup/cpuset"},
					{"memory", "/sys/fs/cgroup/memory/user.slice"},
					{"name=systemd", "/sys/fs/cgroup/systemd/user.slice/session-1.scope"},
					{"pids", "/sys/fs/cgroup/pids"},
				}},
				{
					Mode:        V2Bare,
					Hierarchies: []Hierarchy{{"", "/sys/fs/cgroup/unified/user.slice/session-1.scope"}},
					Lacking:     []string{"cpu", "memory", "pids"},
				},
			},
		},
		"version 2, controllers handed down at the top alone": {
			mounts: v2Mounts, groups: v2Groups,
			delegated: map[string][]string{top: all},
			want: []Host{
				{Mode: V2, Hierarchies: []Hierarchy{{"", top}}},
				{Mode: V2Bare, Hierarchies: []Hierarchy{{"", own}}},
			},
		},
		"version 2, own group hands controllers down": {
			mounts: v2Mounts, groups: v2Groups,
			delegated: map[string][]string{top: all, own: all},
			want: []Host{
				{Mode: V2, Hierarchies: []Hierarchy{{"", own}}},
				{Mode: V2Bare, Hierarchies: []Hierarchy{{"", own}}},
			},
		},
		"version 2, as systemd has it after a login, without cpuset": {
			mounts: v2Mounts, groups: v2Groups,
			delegated: map[string][]string{top: {"cpu", "memory", "pids"}},
			want: []Host{
				{Mode: V2, Hierarchies: []Hierarchy{{"", top}}},
				{Mode: V2Bare, Hierarchies: []Hierarchy{{"", own}}},
			},
		},
		"version 2, as systemd has it before a login, without cpu": {
			mounts: v2Mounts, groups: v2Groups,
			delegated: map[string][]string{top: {"memory", "pids"}},
			want:      []Host{{Mode: V2Bare, Hierarchies: []Hierarchy{{"", own}}, Lacking: []string{"cpu"}}},
		},
		"version 1 without memory is not enough": {
			mounts: "33 25 0:29 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n",
			groups: "6:pids:/\n",
		},
		"a mount that shows another part of the tree is not ours": {
			mounts: "35 25 0:31 /docker/other /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
			groups: "0::/docker/ours\n",
		},
		"a mount of our own part of the tree is": {
			mounts: "35 25 0:31 /docker/ours /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
			groups: "0::/docker/ours\n",
			want:   []Host{{Mode: V2Bare, Hierarchies: []Hierarchy{{"", "/sys/fs/cgroup"}}, Lacking: requiredV2}},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got := possible(hierarchies(c.mounts, c.groups), func(group string) []string { return c.delegated[group] })
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
		})
	}
}

func TestDetectRefusesAWayThatTheMachineDoesNotHave(t *testing.T) {
	if host, err := Detect("v7"); err == nil {
		t.Errorf("found %+v", host)
	}
}

func TestDetectFindsGroupsThatExist(t *testing.T) {
	host, err := Detect("")
	if errors.Is(err, ErrNone) {
		t.Skip("this machine has no cgroups to use")
	}
	if err != nil {
		t.Fatal(err)
	}
	if host.Mode.EnforcesLimits() != (len(host.Lacking) == 0) {
		t.Errorf("%s lacks %v", host.Mode, host.Lacking)
	}
	if !slices.Contains([]Mode{V1, V2, V2Bare}, host.Mode) || len(host.Hierarchies) == 0 {
		t.Errorf("found %+v", host)
	}
}
