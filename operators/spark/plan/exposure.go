package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"

	"github.com/kubeflow/spark-operator/v2/api/v1beta2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/utils/ptr"

	"muster.sh/muster/internal/sparkconf"
)

// Exposure makes a port of the driver known. Its objects belong to the SparkApplication,
// and outlive a submission.
type Exposure struct {
	Service *corev1.Service
	// Ingress leads to the Service from outside; nil if nothing does.
	Ingress *networkingv1.Ingress
	// URL is where the Ingress is found.
	URL string
}

// IngressOptions are the administrator's word on Ingresses.
type IngressOptions struct {
	// URLFormat is where the pages of an application's driver are found, with
	// {{$appName}}, {{$appNamespace}} and {{$appId}}. If it is empty, there is no Ingress.
	URLFormat string
	// ClassName is of all Ingresses; if it is empty, they have the cluster's usual one.
	ClassName string
	// Annotations and TLS are of Ingresses for pages of applications that have none of
	// their own.
	Annotations map[string]string
	TLS         []networkingv1.IngressTLS
	// OfPorts lets applications have Ingresses for other ports, at addresses that they
	// choose.
	OfPorts bool
}

// exposed is what is asked for of a port. Of the options neither port nor name is missing.
type exposed struct {
	path             *field.Path
	service, ingress string
	target           int32
	options          v1beta2.DriverIngressConfiguration
	// at is where an Ingress is wanted; nil for none.
	at *address
}

func (p *planner) expose(e exposed) Exposure {
	port, name := *e.options.ServicePort, *e.options.ServicePortName
	for _, problem := range validation.IsValidPortNum(int(port)) {
		p.errs = append(p.errs, field.Invalid(e.path.Child("servicePort"), port, problem))
	}
	for _, problem := range validation.IsDNS1123Label(name) {
		p.errs = append(p.errs, field.Invalid(e.path.Child("servicePortName"), name, problem))
	}
	exposure := Exposure{Service: &corev1.Service{
		ObjectMeta: p.exposedMeta(e.service, e.options.ServiceLabels, e.options.ServiceAnnotations),
		Spec: corev1.ServiceSpec{
			Type:     ptr.Deref(e.options.ServiceType, corev1.ServiceTypeClusterIP),
			Ports:    []corev1.ServicePort{{Name: name, Port: port, TargetPort: intstr.FromInt32(e.target), Protocol: corev1.ProtocolTCP}},
			Selector: map[string]string{LabelAppName: p.app.Name, sparkconf.LabelRole: sparkconf.RoleDriver},
		},
	}}
	if e.at != nil {
		exposure.Ingress, exposure.URL = p.ingress(e, exposure.Service), e.at.String()
	}
	return exposure
}

func (p *planner) exposedMeta(name string, labels, annotations map[string]string) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Name: name, Namespace: p.app.Namespace,
		Labels: withLabel(labels, LabelAppName, p.app.Name), Annotations: annotations,
		OwnerReferences: []metav1.OwnerReference{ownerReference(p.app)},
	}
}

// rewrite has NGINX serve a path as if it were the root, where the driver expects to be.
const rewrite = "nginx.ingress.kubernetes.io/rewrite-target"

func (p *planner) ingress(e exposed, to *corev1.Service) *networkingv1.Ingress {
	path, annotations := e.at.path, maps.Clone(e.options.IngressAnnotations)
	if path != "" {
		path += "(/|$)(.*)"
		annotations = withLabel(annotations, rewrite, "/$2")
	}
	backend := networkingv1.IngressBackend{Service: &networkingv1.IngressServiceBackend{
		Name: to.Name, Port: networkingv1.ServiceBackendPort{Number: to.Spec.Ports[0].Port},
	}}
	rule := networkingv1.IngressRule{Host: e.at.host}
	rule.HTTP = &networkingv1.HTTPIngressRuleValue{Paths: []networkingv1.HTTPIngressPath{{
		Path: path, PathType: ptr.To(networkingv1.PathTypeImplementationSpecific), Backend: backend,
	}}}
	ingress := &networkingv1.Ingress{
		ObjectMeta: p.exposedMeta(e.ingress, nil, annotations),
		Spec:       networkingv1.IngressSpec{TLS: e.options.IngressTLS, Rules: []networkingv1.IngressRule{rule}},
	}
	if class := p.options.Ingress.ClassName; class != "" {
		ingress.Spec.IngressClassName = &class
	}
	return ingress
}

const maxServiceName = 63

// exposedName is that of the application, which is cut if it is long, and told from others
// by a digest.
func exposedName(app, suffix string) string {
	if len(app)+len(suffix) <= maxServiceName {
		return app + suffix
	}
	sum := sha256.Sum256([]byte(app))
	digest := "-" + hex.EncodeToString(sum[:4])
	return app[:maxServiceName-len(digest)-len(suffix)] + digest + suffix
}

func withLabel(labels map[string]string, key, value string) map[string]string {
	all := map[string]string{key: value}
	for k, v := range labels {
		all[k] = v
	}
	return all
}
