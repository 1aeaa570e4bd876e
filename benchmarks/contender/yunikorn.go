package contender

import (
	"context"
	_ "embed"
	"encoding/json"
	"path/filepath"
	"strconv"

	corev1 "k8s.io/api/core/v1"

	"muster.sh/muster/benchmarks/scenario"
	"muster.sh/muster/internal/localcluster"
)

//go:embed yunikorn.yaml
var yunikornObjects []byte

// yunikornAt is YuniKorn's scheduler with one queue, without its admission
// controller: Join writes what tells it of applications. It is built from source
// by its own Makefile, since its module is not to be had from Go's proxy.
func yunikornAt(source string) Contender {
	const name = "yunikorn"
	c := Contender{
		Name: name, About: "YuniKorn as built in --yunikorn-dir, gang scheduling of style Hard; it serves its own pages on port 9080 of all addresses",
		Components: []string{name}, Users: []string{name}, SchedulerName: "yunikorn",
		Setup: func(_ context.Context, cluster *localcluster.Spec, dir string) error {
			binary := filepath.Join(source, "build", "bin", "yunikorn-scheduler")
			if err := mustExist("--yunikorn-dir", "a checkout of yunikorn-k8shim after make scheduler", binary); err != nil {
				return err
			}
			cluster.Programs = append(cluster.Programs, localcluster.ProgramSpec{
				Name: name, User: name, Binary: binary, Env: []string{"KUBECONFIG=$KUBECONFIG", "NAMESPACE=yunikorn"},
			})
			return writeManifest(cluster, dir, "yunikorn.yaml", yunikornObjects)
		},
		Join: joinYuniKorn,
	}
	if source == "" {
		c.Lacks = "--yunikorn-dir"
	}
	return c
}

// taskGroup is a role of an application, in YuniKorn's words.
type taskGroup struct {
	Name        string            `json:"name"`
	MinMember   int               `json:"minMember"`
	MinResource map[string]string `json:"minResource"`
}

func joinYuniKorn(p *corev1.Pod, g Gang) {
	const role, prefix = "member", "yunikorn.apache.org/"
	least := map[string]string{"cpu": scenario.PodCPU, "memory": scenario.PodMemory}
	if g.GPUs > 0 {
		least[scenario.GPU] = strconv.Itoa(g.GPUs)
	}
	groups, err := json.Marshal([]taskGroup{{Name: role, MinMember: g.Size, MinResource: least}})
	if err != nil {
		panic(err) // strings and a number can be written
	}
	p.Labels["applicationId"] = g.Name
	p.Labels["queue"] = "root.default"
	p.Annotations = map[string]string{
		prefix + "task-group-name":            role,
		prefix + "task-groups":                string(groups),
		prefix + "schedulingPolicyParameters": "placeholderTimeoutInSeconds=300 gangSchedulingStyle=Hard",
	}
}
