package connect

import (
	"errors"
	"strconv"
	"strings"

	"github.com/kubeflow/spark-operator/v2/api/v1alpha1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/utils/ptr"

	muster "muster.sh/muster/api/v1alpha1"
	"muster.sh/muster/internal/sparkconf"
	"muster.sh/muster/operators/spark/plan"
)

// ports are those that clients and their users need. Upstream's Service has those of the
// driver for executors as well, which find it by another.
var ports = []struct {
	name, key, protocol string
	unset               int32
}{
	{"spark-connect-server", "spark.connect.grpc.binding.port", "grpc", 15002},
	{"web-ui", "spark.ui.port", "http", 4040},
}

// Service is where clients find the server: the user's own, with ports and selector.
func Service(conn *v1alpha1.SparkConnect) (*corev1.Service, error) {
	if why := conn.Annotations[muster.UnreadableAnnotation]; why != "" {
		return nil, errors.New(why) // There can't be a server that it leads to.
	}
	service, path := &corev1.Service{}, field.NewPath("metadata", "name")
	if given := conn.Spec.Server.Service; given != nil {
		service.ObjectMeta = metav1.ObjectMeta{Name: given.Name, Labels: given.Labels, Annotations: given.Annotations}
		service.Spec = *given.Spec.DeepCopy()
	}
	if service.Name != "" {
		path = field.NewPath("spec", "server", "service", "metadata", "name")
	} else {
		service.Name = conn.Name + serverSuffix
	}
	if problems := validation.IsDNS1035Label(service.Name); len(problems) > 0 {
		return nil, field.Invalid(path, service.Name, "can't be the name of a Service: "+strings.Join(problems, ", "))
	}
	service.Namespace = conn.Namespace
	service.Labels = labelled(conn, service.Labels)
	service.Labels[CreatedLabel] = "true"
	service.OwnerReferences = []metav1.OwnerReference{ownerReference(conn)}
	service.Spec.Selector = map[string]string{plan.LabelAppName: conn.Name, sparkconf.LabelRole: sparkconf.RoleDriver}
	service.Spec.Ports = nil
	for _, port := range ports {
		number, err := portNumber(conn, port.key, port.unset)
		if err != nil {
			return nil, err
		}
		service.Spec.Ports = append(service.Spec.Ports, corev1.ServicePort{
			Name: port.name, Port: number, TargetPort: intstr.FromInt32(number), Protocol: corev1.ProtocolTCP, AppProtocol: ptr.To(port.protocol),
		})
	}
	return service, nil
}

func portNumber(conn *v1alpha1.SparkConnect, key string, unset int32) (int32, error) {
	given, set := conn.Spec.SparkConf[key]
	if !set {
		return unset, nil
	}
	number, err := strconv.ParseInt(given, 10, 32)
	if err != nil || len(validation.IsValidPortNum(int(number))) > 0 {
		return 0, field.Invalid(field.NewPath("spec", "sparkConf").Key(key), given, "is no port; write a number from 1 to 65535")
	}
	return int32(number), nil
}
