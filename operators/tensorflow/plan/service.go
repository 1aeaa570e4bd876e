package plan

import (
	"cmp"
	"slices"

	kubeflow "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// service is what gives a replica the host name that TF_CONFIG has.
func service(job *kubeflow.TFJob, r role, index int) *corev1.Service {
	labels := labelsOf(job, r, index)
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{
			Name: r.podName(job, index), Namespace: job.Namespace, Labels: labels, OwnerReferences: ownerOf(job),
		},
		Spec: corev1.ServiceSpec{ClusterIP: corev1.ClusterIPNone, Selector: labels, Ports: servicePorts(r.spec)},
	}
}

// servicePorts are the named ports of the container that trains. A service with
// several ports must not have one without a name, and the others need none to be
// reached.
func servicePorts(spec *kubeflow.ReplicaSpec) []corev1.ServicePort {
	ports := []corev1.ServicePort{}
	for _, port := range trainer(spec).Ports {
		if port.Name != "" {
			ports = append(ports, corev1.ServicePort{Name: port.Name, Port: port.ContainerPort})
		}
	}
	slices.SortFunc(ports, func(a, b corev1.ServicePort) int { return cmp.Compare(a.Name, b.Name) })
	return ports
}

// trainer is the container that trains, of a valid spec.
func trainer(spec *kubeflow.ReplicaSpec) *corev1.Container {
	return trainerOf(&spec.Template.Spec)
}

func trainerOf(spec *corev1.PodSpec) *corev1.Container {
	i := slices.IndexFunc(spec.Containers, func(c corev1.Container) bool { return c.Name == kubeflow.TFJobDefaultContainerName })
	return &spec.Containers[i]
}
