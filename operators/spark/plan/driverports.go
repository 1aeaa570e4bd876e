package plan

import (
	"fmt"

	"github.com/kubeflow/spark-operator/v2/api/v1beta2"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/utils/ptr"
)

// driverPorts makes other ports of the driver known than that of its pages.
func (p *planner) driverPorts() []Exposure {
	var all []Exposure
	seen := map[int32]bool{}
	for i, options := range p.app.Spec.DriverIngressOptions {
		path := specPath.Child("driverIngressOptions").Index(i)
		if options.ServicePort == nil {
			p.errs = append(p.errs, field.Required(path.Child("servicePort"), "write the number of a port of the driver"))
			continue
		}
		port := *options.ServicePort
		if seen[port] {
			p.errs = append(p.errs, field.Duplicate(path.Child("servicePort"), port))
		}
		seen[port] = true
		if text(options.ServicePortName) == "" {
			options.ServicePortName = ptr.To(fmt.Sprintf("driver-ing-%d", port))
		}
		all = append(all, p.expose(exposed{
			path: path, service: exposedName(p.app.Name, fmt.Sprintf("-driver-%d", port)),
			ingress: exposedName(p.app.Name, fmt.Sprintf("-ing-%d", port)),
			target:  port, options: options, at: p.driverPortAddress(path, options),
		}))
	}
	return all
}

// driverPortAddress is where an application wishes a port of its driver to be found, nil
// if it may not or doesn't.
func (p *planner) driverPortAddress(path *field.Path, options v1beta2.DriverIngressConfiguration) *address {
	format := options.IngressURLFormat
	if format == "" {
		return nil
	}
	if !p.options.Ingress.OfPorts {
		p.plan.Notes = append(p.plan.Notes, "no Ingress is made of "+path.String()+": "+
			"the operator's configuration doesn't allow it by spark.ingress.ofPorts")
		return nil
	}
	at, err := p.address(format)
	if err != nil {
		p.errs = append(p.errs, field.Invalid(path.Child("ingressURLFormat"), format, err.Error()))
		return nil
	}
	return &at
}
