package plan

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	networkingv1 "k8s.io/api/networking/v1"
)

// withIngress are options of an administrator who has Ingresses made.
var withIngress = Options{SchedulerName: "muster", User: "spark", Ingress: IngressOptions{
	URLFormat: "{{$appName}}.{{ $appNamespace }}.example.com", ClassName: "nginx", OfPorts: true,
	Annotations: map[string]string{"usual": "yes"}, TLS: []networkingv1.IngressTLS{{SecretName: "usual"}},
}}

func at(format string) Options {
	o := withIngress
	o.Ingress.URLFormat = format
	return o
}

func plannedWith(t *testing.T, o Options, more string) Plan {
	t.Helper()
	plan, err := Make(application(t, more), first, o)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

func TestAnIngressLeadsToTheDriversPages(t *testing.T) {
	plan := plannedWith(t, withIngress, "spec: {sparkUIOptions: {servicePort: 80, ingressAnnotations: {mine: a}, ingressTLS: [{secretName: mine}]}}")
	ingress, service := plan.WebUI.Ingress, plan.WebUI.Service
	if ingress.Name != "pi-ui-ingress" || ingress.Namespace != "team-a" || *ingress.Spec.IngressClassName != "nginx" ||
		plan.WebUI.URL != "http://pi.team-a.example.com" || len(ingress.OwnerReferences) != 1 || ingress.OwnerReferences[0].UID != "uid" {
		t.Errorf("the Ingress is %+v, at %s", ingress.ObjectMeta, plan.WebUI.URL)
	}
	rule := ingress.Spec.Rules[0]
	to := rule.HTTP.Paths[0].Backend.Service
	if rule.Host != "pi.team-a.example.com" || rule.HTTP.Paths[0].Path != "" || to.Name != service.Name || to.Port.Number != 80 {
		t.Errorf("the rule is %+v", rule)
	}
	if diff := cmp.Diff(map[string]string{"mine": "a"}, ingress.Annotations); diff != "" || ingress.Spec.TLS[0].SecretName != "mine" {
		t.Errorf("annotations %s, TLS %v", diff, ingress.Spec.TLS)
	}
	usual := plannedWith(t, withIngress, "").WebUI.Ingress
	if usual.Annotations["usual"] != "yes" || usual.Spec.TLS[0].SecretName != "usual" {
		t.Errorf("without any of its own, the Ingress is %+v", usual)
	}
	if _, set := stored(t, plan)[keyProxyBase]; set {
		t.Error("a driver whose pages are at the root is told of a path")
	}
}

func TestAnIngressBelowAPathIsToldToTheDriver(t *testing.T) {
	plan := plannedWith(t, at("https://spark.example.com:8443/{{$appNamespace}}/{{$appId}}/"), "")
	path := "/team-a/" + first.AppID
	ingress := plan.WebUI.Ingress
	if rule := ingress.Spec.Rules[0]; rule.Host != "spark.example.com" || rule.HTTP.Paths[0].Path != path+"(/|$)(.*)" || ingress.Annotations[rewrite] != "/$2" {
		t.Errorf("the rule is %+v, the annotations are %v", rule, ingress.Annotations)
	}
	if plan.WebUI.URL != "https://spark.example.com:8443"+path {
		t.Errorf("the address is %s", plan.WebUI.URL)
	}
	if props := stored(t, plan); props[keyProxyBase] != path || props[keyProxyRedirect] != "/" {
		t.Errorf("the driver is told of %q and %q", props[keyProxyBase], props[keyProxyRedirect])
	}
	own := plannedWith(t, at("a.b/{{$appName}}"), "spec: {sparkConf: {spark.ui.proxyBase: /own}}")
	if props := stored(t, own); props[keyProxyBase] != "/own" {
		t.Errorf("the user's setting became %q", props[keyProxyBase])
	}
}

func TestOtherPortsOfTheDriverAreMadeKnown(t *testing.T) {
	const spec = `
spec:
  driverIngressOptions:
  - {servicePort: 5000, servicePortName: app, serviceType: NodePort, serviceLabels: {a: b}, ingressURLFormat: 'app-{{$appName}}.example.com', ingressAnnotations: {mine: a}}
  - {servicePort: 6000, servicePortName: ""}
`
	ports := plannedWith(t, withIngress, spec).Ports
	if len(ports) != 2 {
		t.Fatalf("there are %d", len(ports))
	}
	service, ingress := ports[0].Service, ports[0].Ingress
	if service.Name != "pi-driver-5000" || service.Spec.Type != "NodePort" || service.Labels["a"] != "b" ||
		service.Spec.Ports[0].Name != "app" || service.Spec.Ports[0].TargetPort.IntValue() != 5000 || service.Spec.Selector["spark-role"] != "driver" {
		t.Errorf("the Service is %+v", service)
	}
	if ingress.Name != "pi-ing-5000" || ports[0].URL != "http://app-pi.example.com" || ingress.Annotations["mine"] != "a" || len(ingress.Spec.TLS) != 0 {
		t.Errorf("the Ingress is %+v", ingress)
	}
	if ports[1].Ingress != nil || ports[1].Service.Spec.Ports[0].Name != "driver-ing-6000" {
		t.Errorf("the second is %+v", ports[1])
	}
}

// An administrator has to allow Ingresses, those at hosts of a user's choice above all.
func TestIngressesAreTheAdministratorsWord(t *testing.T) {
	const spec = "spec: {sparkUIOptions: {ingressAnnotations: {a: b}}, driverIngressOptions: [{servicePort: 5000, servicePortName: a, ingressURLFormat: console.example.com}]}"
	plan := plannedWith(t, options, spec)
	if plan.WebUI.Ingress != nil || plan.Ports[0].Ingress != nil || plan.Ports[0].Service == nil {
		t.Error("there is an Ingress, or no Service")
	}
	for _, told := range []string{"spark.ingress.urlFormat", "spark.ingress.ofPorts"} {
		if !strings.Contains(strings.Join(plan.Notes, "; "), told) {
			t.Errorf("the notes don't tell of %s: %q", told, plan.Notes)
		}
	}
}

func TestWhatCanNotBeMadeKnownNamesItsField(t *testing.T) {
	port := func(more string) string {
		return "spec: {driverIngressOptions: [{servicePort: 5000, servicePortName: a}, {" + more + "}]}"
	}
	for name, tc := range map[string]struct {
		spec, want string
		options    Options
	}{
		"a port that isn't one":     {"spec: {sparkUIOptions: {servicePort: 70000}}", "spec.sparkUIOptions.servicePort", options},
		"a name that isn't one":     {"spec: {sparkUIOptions: {servicePortName: A b}}", "spec.sparkUIOptions.servicePortName", options},
		"no port":                   {port("servicePortName: b"), "spec.driverIngressOptions[1].servicePort", options},
		"a port twice":              {port("servicePort: 5000, servicePortName: b"), "spec.driverIngressOptions[1].servicePort", options},
		"a host that isn't one":     {port("servicePort: 1, servicePortName: b, ingressURLFormat: 'a b'"), "spec.driverIngressOptions[1].ingressURLFormat", withIngress},
		"another scheme":            {port("servicePort: 1, servicePortName: b, ingressURLFormat: 'ftp://a'"), "write http:// or https://", withIngress},
		"another placeholder":       {port("servicePort: 1, servicePortName: b, ingressURLFormat: 'a.b/{{$x}}'"), "has the path", withIngress},
		"a port of the address":     {port("servicePort: 1, servicePortName: b, ingressURLFormat: 'a.b:x'"), "has the port", withIngress},
		"the administrator's error": {"", "spark.ingress.urlFormat: Invalid value: \"{{$appName}}_x\": of the operator's configuration", at("{{$appName}}_x")},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Make(application(t, tc.spec), first, tc.options)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want an error with %q", err, tc.want)
			}
		})
	}
}

func TestNamesOfWhatMakesPortsKnownFitAndDiffer(t *testing.T) {
	seen := map[string]bool{}
	for _, app := range []string{"pi", strings.Repeat("x", 62) + "a", strings.Repeat("x", 62) + "b"} {
		for _, suffix := range []string{"-ui-svc", "-driver-65535"} {
			name := exposedName(app, suffix)
			if len(name) > maxServiceName || seen[name] || !strings.HasSuffix(name, suffix) {
				t.Errorf("%s%s becomes %s", app, suffix, name)
			}
			seen[name] = true
		}
	}
}
