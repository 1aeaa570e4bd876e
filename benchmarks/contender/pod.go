package contender

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"muster.sh/muster/benchmarks/scenario"
)

// GangLabel is on every pod, so that the auditors know the gangs whatever a
// contender calls them.
const GangLabel = "muster.sh/benchmark-gang"

// NewPod returns one of the pods of a gang. It asks for what every pod does, and for the
// gang's GPUs, and does not say yet that it is a member.
func (c Contender) NewPod(g Gang, i int) *corev1.Pod {
	none := false
	ask := corev1.ResourceList{
		corev1.ResourceCPU: resource.MustParse(scenario.PodCPU), corev1.ResourceMemory: resource.MustParse(scenario.PodMemory),
	}
	if g.GPUs > 0 {
		ask[scenario.GPU] = *resource.NewQuantity(int64(g.GPUs), resource.DecimalSI)
	}
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: g.Namespace, Name: fmt.Sprintf("%s-%05d", g.Name, i), Labels: map[string]string{GangLabel: g.Name}},
		Spec: corev1.PodSpec{
			SchedulerName: c.SchedulerName, PriorityClassName: g.Priority, AutomountServiceAccountToken: &none,
			Containers: []corev1.Container{{
				Name: "main", Image: "simulated", Resources: corev1.ResourceRequirements{Requests: ask, Limits: ask},
			}},
		},
	}
}
