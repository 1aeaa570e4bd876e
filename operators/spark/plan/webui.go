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
func (p *planner) webUI(driver *corev1.Pod) {
	target := int32(0)
	for _, port := range sparkContainer(&driver.Spec).Ports {
		if port.Name == webUIPort {
			target = port.ContainerPort
		}
	}
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
			Name: WebUIServiceName(p.app), Namespace: p.app.Namespace,
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
	p.plan.OfApplication = append(p.plan.OfApplication, service)
	if len(options.IngressAnnotations)+len(options.IngressTLS)+len(p.app.Spec.DriverIngressOptions) > 0 {
		p.plan.Notes = append(p.plan.Notes, "no Ingress is made of spec.sparkUIOptions and spec.driverIngressOptions: "+
			"write one for the Service "+service.Name)
	}
}

// WebUIServiceName is the name of the Service for the driver's pages. A long name of
// an application is cut, and told from others by a digest.
func WebUIServiceName(app *v1beta2.SparkApplication) string {
	if len(app.Name)+len(webUISuffix) <= maxServiceName {
		return app.Name + webUISuffix
	}
	sum := sha256.Sum256([]byte(app.Name))
	digest := "-" + hex.EncodeToString(sum[:4])
	return app.Name[:maxServiceName-len(digest)-len(webUISuffix)] + digest + webUISuffix
}

func withLabel(labels map[string]string, key, value string) map[string]string {
	all := map[string]string{key: value}
	for k, v := range labels {
		all[k] = v
	}
	return all
}
