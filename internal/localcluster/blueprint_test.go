package localcluster

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/yaml"

	config "muster.sh/muster/api/config/v1alpha1"
	"muster.sh/muster/internal/localcluster/toolchain"
)

func newBlueprint(t *testing.T, spec Spec) *blueprint {
	t.Helper()
	spec.setDefaults()
	paths := layout{dir: t.TempDir()}
	if err := paths.create(); err != nil {
		t.Fatal(err)
	}
	tools := toolchain.Paths{toolchain.Kubernetes(spec.KubernetesVersion): "/older"}
	b := &blueprint{spec: spec, tools: tools, paths: paths, net: addresses{bind: loopback}, ports: map[string]int{}, binary: "/muster-local"}
	if err := b.lay(); err != nil {
		t.Fatal(err)
	}
	return b
}

func names(components []component) []string {
	var names []string
	for _, c := range components {
		names = append(names, c.name)
	}
	return names
}

func TestComponentsFollowTheSpec(t *testing.T) {
	tests := []struct {
		name string
		spec Spec
		want []string
	}{
		{"by default there is one scheduler", Spec{}, []string{"control-plane", "kwok", "kube-scheduler"}},
		{"an empty list of schedulers means none", Spec{Schedulers: []SchedulerSpec{}}, []string{"control-plane", "kwok"}},
		{"the control plane can be three processes", Spec{SeparateProcesses: true},
			[]string{"etcd", "kube-apiserver", "kube-controller-manager", "kwok", "kube-scheduler"}},
		{"that of an older version always is", Spec{KubernetesVersion: "1.34"},
			[]string{"etcd", "kube-apiserver", "kube-controller-manager", "kwok", "kube-scheduler"}},
		{"replicas have numbers", Spec{Schedulers: []SchedulerSpec{{Name: "a", Replicas: 2}}},
			[]string{"control-plane", "kwok", "a-0", "a-1"}},
		{"real nodes need names and no simulation", Spec{Nodes: 1}, []string{"control-plane", "coredns", "kube-scheduler"}},
		{"both kinds of nodes together", Spec{Nodes: 1, SimNodes: 1}, []string{"control-plane", "coredns", "kwok", "kube-scheduler"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			base, rest, err := newBlueprint(t, test.spec).components()
			if err != nil {
				t.Fatal(err)
			}
			if got := append(names(base), names(rest)...); !slices.Equal(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestOnlyPartsOfKubernetesAreOfAnOlderVersion(t *testing.T) {
	muster := MusterScheduler()
	b := newBlueprint(t, Spec{KubernetesVersion: "1.34", Schedulers: []SchedulerSpec{DefaultScheduler(), muster}})
	base, rest, err := b.components()
	if err != nil {
		t.Fatal(err)
	}
	words := map[string]string{"etcd": "etcd", "kwok": "kwok", muster.Name: muster.Program}
	for _, c := range append(base, rest...) {
		file, word := "/older/"+c.name, "--"
		if own := words[c.name]; own != "" {
			file, word = b.binary, own
		}
		if c.binary != file || !strings.HasPrefix(c.args[0], word) {
			t.Errorf("%s is %s %s, want %s %s", c.name, c.binary, c.args[0], file, word)
		}
	}
}

func TestNothingListensBeyondLoopback(t *testing.T) {
	base, rest, err := newBlueprint(t, Spec{SeparateProcesses: true}).components()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range append(base, rest...) {
		for _, arg := range c.args {
			if address, found := strings.CutPrefix(arg, "--bind-address="); found && address != loopback {
				t.Errorf("%s listens on %s", c.name, address)
			}
			if strings.Contains(arg, "0.0.0.0") {
				t.Errorf("%s has the argument %s", c.name, arg)
			}
		}
	}
}

func TestASchedulersConfigurationIsCompleted(t *testing.T) {
	const profile = "apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n"
	tests := []struct {
		name, config string
		wantQPS      any
		wantFlag     string
	}{
		{"the client connection is filled in", profile, float64(5000), "--config="},
		{"what is given stays", profile + "clientConnection: {qps: 7}\n", float64(7), "--config="},
		{"another kind is left as it is", "apiVersion: config.muster.sh/v1alpha1\nkind: SchedulerConfiguration\n", nil, "--kubeconfig="},
		{"without one flags are enough", "", nil, "--kubeconfig="},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			scheduler := SchedulerSpec{Name: "s", Config: test.config}
			b := newBlueprint(t, Spec{Schedulers: []SchedulerSpec{scheduler}})
			components, err := b.scheduler(scheduler)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(components[0].args, func(arg string) bool { return strings.HasPrefix(arg, test.wantFlag) }) {
				t.Errorf("%v has no %s", components[0].args, test.wantFlag)
			}
			if test.config == "" {
				return
			}
			data, err := os.ReadFile(b.paths.configFile("s"))
			if err != nil {
				t.Fatal(err)
			}
			var config struct {
				ClientConnection map[string]any `json:"clientConnection"`
			}
			if err := yaml.Unmarshal(data, &config); err != nil {
				t.Fatal(err)
			}
			if got := config.ClientConnection["qps"]; got != test.wantQPS {
				t.Errorf("qps is %v, want %v", got, test.wantQPS)
			}
		})
	}
}

func TestKubeconfigsStandOnTheirOwn(t *testing.T) {
	b := newBlueprint(t, Spec{})
	config, err := clientcmd.LoadFromFile(b.paths.kubeconfig("admin"))
	if err != nil {
		t.Fatal(err)
	}
	user := config.AuthInfos["admin"]
	if user == nil || len(user.ClientCertificateData) == 0 || user.ClientCertificate != "" {
		t.Errorf("the administrator's certificate is not in the file: %v", user)
	}
	if got, want := config.Clusters[contextName].Server, b.url(portAPIServer, ""); got != want {
		t.Errorf("server %s, want %s", got, want)
	}
}

func TestPortsOnceChosenAreKept(t *testing.T) {
	ports := map[string]int{"old": 12345}
	if err := reservePorts(ports, "old", "new", "newer"); err != nil {
		t.Fatal(err)
	}
	if ports["old"] != 12345 {
		t.Errorf("the old port became %d", ports["old"])
	}
	if ports["new"] == ports["newer"] {
		t.Errorf("port %d is given twice", ports["new"])
	}
	for _, name := range []string{"new", "newer"} {
		if port := ports[name]; port < firstPort || port > lastPort {
			t.Errorf("port %d is not from %d to %d", port, firstPort, lastPort)
		}
	}
}

func TestSpecsThatMakeNoSenseAreRefused(t *testing.T) {
	tests := map[string]Spec{
		"nodes":             {Nodes: -1},
		"simulated nodes":   {SimNodes: maxSimNodes + 1},
		"node CPUs":         {NodeCPUs: -2},
		"scheduler name":    {Schedulers: []SchedulerSpec{{Name: "Bad Name"}}},
		"used twice":        {Schedulers: []SchedulerSpec{{Name: "a"}, {Name: "a"}}},
		`"a-0": used twice`: {Schedulers: []SchedulerSpec{{Name: "a", Replicas: 2}, {Name: "a-0"}}},
		"taken by":          {Schedulers: []SchedulerSpec{{Name: "etcd"}}},
		`"1.33" must be one of 1.34, 1.35, 1.36, 1.37`: {KubernetesVersion: "1.33"},
		"they must be simulated":                       {KubernetesVersion: "1.36", Nodes: 1},
	}
	for want, spec := range tests {
		t.Run(want, func(t *testing.T) {
			spec.setDefaults()
			if err := spec.validate(); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want an error with %q", err, want)
			}
		})
	}
}

// A simulated pod has no address of its own, but maybe somebody else's.
func TestNoSimulatedDriverIsAsked(t *testing.T) {
	const own = "apiVersion: config.muster.sh/v1alpha1\nkind: OperatorsConfiguration\nspark: {progress: {interval: 20s}}\n"
	for name, tc := range map[string]struct {
		spec Spec
		want time.Duration
	}{
		"all nodes are simulated":    {Spec{Operators: &OperatorsSpec{}}, 0},
		"one of the nodes is":        {Spec{Nodes: 1, SimNodes: 1, Operators: &OperatorsSpec{}}, 0},
		"none is":                    {Spec{Nodes: 1, Operators: &OperatorsSpec{}}, 10 * time.Second},
		"a configuration of its own": {Spec{Operators: &OperatorsSpec{Config: own}}, 20 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBlueprint(t, tc.spec)
			if _, _, err := b.components(); err != nil {
				t.Fatal(err)
			}
			c := config.NewOperatorsConfiguration()
			if file := b.paths.configFile(OperatorsComponent); tc.want != 10*time.Second {
				var err error
				if c, err = config.LoadOperators(file); err != nil {
					t.Fatal(err)
				}
			} else if _, err := os.Stat(file); err == nil {
				t.Error("there is a configuration that nobody asked for")
			}
			if got := c.Spark.Progress.Interval.Duration; got != tc.want {
				t.Errorf("drivers are asked each %v, not %v", got, tc.want)
			}
		})
	}
}

func TestSimulatedNodesHaveAddressesOfTheirOwn(t *testing.T) {
	shape := DefaultShape()
	seen := map[string]string{}
	for _, i := range []int{0, 1, 255, 256, 4999, maxSimNodes - 1} {
		node := simNode(i, shape)
		for _, address := range []string{node.Spec.PodCIDR, node.Status.Addresses[0].Address} {
			if other, taken := seen[address]; taken {
				t.Errorf("%s and %s share %s", node.Name, other, address)
			}
			seen[address] = node.Name
		}
	}
	if got := simNode(maxSimNodes-1, shape).Spec.PodCIDR; !strings.HasPrefix(got, "10.") {
		t.Errorf("the last node's pods are in %s, outside of 10.0.0.0/8", got)
	}
}

func TestOperatorsMayHaveAProgramOfTheirOwn(t *testing.T) {
	for _, c := range []struct {
		spec          OperatorsSpec
		binary, first string
	}{
		{OperatorsSpec{}, "/bin/muster-local", OperatorsComponent},
		{OperatorsSpec{Binary: "/bin/muster-operators"}, "/bin/muster-operators", "--kubeconfig="},
	} {
		b := newBlueprint(t, Spec{Operators: &c.spec})
		b.binary = "/bin/muster-local"
		got, err := b.operators(&c.spec)
		if err != nil {
			t.Fatal(err)
		}
		if got.binary != c.binary || !strings.HasPrefix(got.args[0], c.first) {
			t.Errorf("%+v is %s %q", c.spec, got.binary, got.args)
		}
	}
}

func TestAProgramIsToldOfTheCluster(t *testing.T) {
	spec := ProgramSpec{
		Name: "p", Binary: "/p", Args: []string{"--config=$CONFIG", "--listen=$HOST:$HEALTH", "--price=$$5"},
		Env: []string{"KUBECONFIG=$KUBECONFIG", "SERVER=$API_PORT"}, Config: "port: $HEALTH\n", Ports: []string{"HEALTH"}, User: "someone",
	}
	b := newBlueprint(t, Spec{Programs: []ProgramSpec{spec}})
	c, err := b.program(spec)
	if err != nil {
		t.Fatal(err)
	}
	port := strconv.Itoa(b.ports["p/HEALTH"])
	if want := []string{"--config=" + b.paths.configFile("p"), "--listen=" + loopback + ":" + port, "--price=$5"}; !slices.Equal(c.args, want) {
		t.Errorf("got %q, want %q", c.args, want)
	}
	if want := []string{"KUBECONFIG=" + b.paths.kubeconfig("p"), "SERVER=" + strconv.Itoa(b.ports[portAPIServer])}; !slices.Equal(c.env, want) {
		t.Errorf("got %q, want %q", c.env, want)
	}
	if data, err := os.ReadFile(b.paths.configFile("p")); err != nil || string(data) != "port: "+port+"\n" {
		t.Errorf("its configuration is %q, %v", data, err)
	}
	if _, err := clientcmd.LoadFromFile(b.paths.kubeconfig("p")); err != nil {
		t.Error(err)
	}
	spec.Args = []string{"--webhook=$WEBHOOK"}
	if _, err := b.program(spec); err == nil || !strings.Contains(err.Error(), "$WEBHOOK stands for nothing") {
		t.Errorf("got %v", err)
	}
}
