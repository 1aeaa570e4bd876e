package plan

import (
	"crypto/sha256"
	"encoding/hex"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/kubeflow/spark-operator/v2/api/v1beta2"
)

const (
	maxServiceName = 63
	webUISuffix    = "-ui-svc"
	webUIPort      = "spark-ui"
	webUIPortName  = "spark-driver-ui-port"
)

// webUI is a Service for the driver's pages, which lives as long as the application.
func (p *planner) webUI(driver *corev1.Pod) *corev1.Service {
	target := WebUIPort(driver)
	options := p.app.Spec.SparkUIOptions
	if options == nil {
		options = &v1beta2.SparkUIConfiguration{}
	}
	port := corev1.ServicePort{Name: webUIPortName, Port: target, TargetPort: intstr.FromInt32(target), Protocol: corev1.ProtocolTCP}
	if options.ServicePort != nil {
		port.Port = *options.ServicePort
	}
	if name := text(options.ServicePortName); name != "" {
		port.Name = name
	}
	service := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{
			Name: webUIName(p.app.Name), Namespace: p.app.Namespace,
			Labels:          withLabel(options.ServiceLabels, LabelAppName, p.app.Name),
			Annotations:     options.ServiceAnnotations,
			OwnerReferences: []metav1.OwnerReference{ownerReference(p.app)},
		},
		Spec: corev1.ServiceSpec{
			Type:  corev1.ServiceTypeClusterIP,
			Ports: []corev1.ServicePort{port},
			Selector: map[string]string{
				LabelAppName: p.app.Name, "spark-role": "driver",
			},
		},
	}
	if options.ServiceType != nil {
		service.Spec.Type = *options.ServiceType
	}
	if len(options.IngressAnnotations)+len(options.IngressTLS)+len(p.app.Spec.DriverIngressOptions) > 0 {
		p.plan.Notes = append(p.plan.Notes, "no Ingress is made of spec.sparkUIOptions and spec.driverIngressOptions: "+
			"write one for the Service "+service.Name)
	}
	return service
}

// WebUIPort is the port of a driver's pages in its pod; 0 if it has none.
func WebUIPort(driver *corev1.Pod) int32 {
	for _, container := range driver.Spec.Containers {
		for _, port := range container.Ports {
			if port.Name == webUIPort {
				return port.ContainerPort
			}
		}
	}
	return 0
}

// webUIName is that of the application, which is cut if it is long, and told from others
// by a digest.
func webUIName(app string) string {
	if len(app)+len(webUISuffix) <= maxServiceName {
		return app + webUISuffix
	}
	sum := sha256.Sum256([]byte(app))
	digest := "-" + hex.EncodeToString(sum[:4])
	return app[:maxServiceName-len(digest)-len(webUISuffix)] + digest + webUISuffix
}

func withLabel(labels map[string]string, key, value string) map[string]string {
	all := map[string]string{key: value}
	for k, v := range labels {
		all[k] = v
	}
	return all
}
