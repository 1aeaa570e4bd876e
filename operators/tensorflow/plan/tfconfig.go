package plan

import (
	"encoding/json"
	"fmt"

	kubeflow "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	corev1 "k8s.io/api/core/v1"
)

// configVariable is the environment variable from which TensorFlow learns of the
// cluster and of its place in it.
const configVariable = "TF_CONFIG"

type task struct {
	Type  string `json:"type"`
	Index int    `json:"index"`
}

type tfConfig struct {
	Cluster map[string][]string `json:"cluster"`
	Task    task                `json:"task"`
	// Environment is read by versions of TensorFlow before 1.4.
	Environment string `json:"environment"`
}

// sparseConfig names no worker but the one that it is for, so that others may come
// and go.
type sparseConfig struct {
	Cluster sparseCluster `json:"cluster"`
	Task    task          `json:"task"`
}

type sparseCluster struct {
	Worker map[int]string `json:"worker"`
	PS     []string       `json:"ps"`
}

// setCluster sets TF_CONFIG. A job of one replica has no cluster.
func (p *planner) setCluster(pod *corev1.PodSpec, r role, index int) {
	if total(p.roles) == 1 {
		return
	}
	container := trainerOf(pod)
	container.Env = append(container.Env, corev1.EnvVar{Name: configVariable, Value: p.tfConfig(r, index)})
}

func (p *planner) tfConfig(r role, index int) string {
	me := task{lower(r.kind), index}
	var of any = tfConfig{p.endpoints(), me, "cloud"}
	if p.job.Spec.EnableDynamicWorker {
		of = sparseConfig{sparse(p.endpoints(), me), me}
	}
	text, err := json.Marshal(of)
	if err != nil { // it has only numbers and strings
		panic(err)
	}
	return string(text)
}

// endpoints are the addresses of all replicas, by role and index. Every pod is told all
// of them, so they are put together once.
func (p *planner) endpoints() map[string][]string {
	if p.cluster != nil {
		return p.cluster
	}
	cluster := map[string][]string{}
	for _, r := range p.roles {
		hosts := make([]string, len(r.pods))
		for i := range hosts {
			host := r.podName(p.job, i) + "." + p.job.Namespace + ".svc"
			if p.opts.ClusterDomain != "" {
				host += "." + p.opts.ClusterDomain
			}
			hosts[i] = fmt.Sprintf("%s:%d", host, trainingPort(r.spec))
		}
		cluster[lower(r.kind)] = hosts
	}
	p.cluster = cluster
	return cluster
}

// sparse is what a replica of a dynamic job sees: a parameter server itself, a worker
// itself and all parameter servers, another nothing.
func sparse(cluster map[string][]string, me task) sparseCluster {
	seen := sparseCluster{Worker: map[int]string{}, PS: []string{}}
	switch me.Type {
	case lower(kubeflow.TFJobReplicaTypePS):
		seen.PS = append(seen.PS, cluster[me.Type][me.Index])
	case lower(kubeflow.TFJobReplicaTypeWorker):
		seen.PS = cluster[lower(kubeflow.TFJobReplicaTypePS)]
		seen.Worker[me.Index] = cluster[me.Type][me.Index]
	}
	return seen
}

func trainingPort(spec *kubeflow.ReplicaSpec) int32 {
	for _, port := range trainer(spec).Ports {
		if port.Name == kubeflow.TFJobDefaultPortName {
			return port.ContainerPort
		}
	}
	return kubeflow.TFJobDefaultPort
}

func total(roles []role) int {
	n := 0
	for _, r := range roles {
		n += len(r.pods)
	}
	return n
}
