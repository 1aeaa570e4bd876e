package plan

import (
	"github.com/kubeflow/spark-operator/v2/api/v1beta2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/utils/ptr"
)

const (
	webUIPort     = "spark-ui"
	webUIPortName = "spark-driver-ui-port"

	keyProxyBase     = "spark.ui.proxyBase"
	keyProxyRedirect = "spark.ui.proxyRedirectUri"
)

// webUIAddress is where the driver's pages will be found from outside, if they are. Below
// a path, the driver has to know of it for its links.
func (p *planner) webUIAddress() {
	format := p.options.Ingress.URLFormat
	if format == "" {
		return
	}
	at, err := p.address(format)
	if err != nil {
		p.errs = append(p.errs, field.Invalid(field.NewPath("spark", "ingress", "urlFormat"), format, "of the operator's configuration "+err.Error()))
		return
	}
	p.webUIAt = &at
	if at.path == "" {
		return
	}
	for key, value := range map[string]string{keyProxyBase: at.path, keyProxyRedirect: "/"} {
		if _, set := p.settings.props[key]; !set {
			p.settings.set(specPath, key, value)
		}
	}
}

// webUI makes the driver's pages known.
func (p *planner) webUI(driver *corev1.Pod) Exposure {
	path, target := specPath.Child("sparkUIOptions"), WebUIPort(driver)
	asked := ptr.Deref(p.app.Spec.SparkUIOptions, v1beta2.SparkUIConfiguration{})
	options := v1beta2.DriverIngressConfiguration{
		ServicePort: &target, ServicePortName: ptr.To(webUIPortName), ServiceType: asked.ServiceType,
		ServiceAnnotations: asked.ServiceAnnotations, ServiceLabels: asked.ServiceLabels,
		IngressAnnotations: p.options.Ingress.Annotations, IngressTLS: p.options.Ingress.TLS,
	}
	if asked.ServicePort != nil {
		options.ServicePort = asked.ServicePort
	}
	if text(asked.ServicePortName) != "" {
		options.ServicePortName = asked.ServicePortName
	}
	if len(asked.IngressAnnotations) > 0 {
		options.IngressAnnotations = asked.IngressAnnotations
	}
	if len(asked.IngressTLS) > 0 {
		options.IngressTLS = asked.IngressTLS
	}
	if p.webUIAt == nil && len(asked.IngressAnnotations)+len(asked.IngressTLS) > 0 {
		p.plan.Notes = append(p.plan.Notes, "no Ingress is made of spec.sparkUIOptions: "+
			"the operator's configuration has no spark.ingress.urlFormat")
	}
	return p.expose(exposed{
		path: path, service: exposedName(p.app.Name, "-ui-svc"), ingress: exposedName(p.app.Name, "-ui-ingress"),
		target: target, options: options, at: p.webUIAt,
	})
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
