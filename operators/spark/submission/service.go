package submission

import (
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"

	"muster.sh/muster/internal/sparkconf"
)

const (
	keyDriverPort      = "spark.driver.port"
	keyDriverBlockPort = "spark.driver.blockManager.port"
	keyBlockPort       = "spark.blockManager.port"
	keyUIPort          = "spark.ui.port"
	keyConnectPort     = "spark.connect.grpc.binding.port"
	keyFamilyPolicy    = "spark.kubernetes.driver.service.ipFamilyPolicy"
	keyFamilies        = "spark.kubernetes.driver.service.ipFamilies"
	keyNotReady        = "spark.kubernetes.driver.service.publishNotReadyAddresses"

	prefixServiceLabel      = "spark.kubernetes.driver.service.label."
	prefixServiceAnnotation = "spark.kubernetes.driver.service.annotation."

	defaultDriverPort  = 7078
	defaultBlockPort   = 7079
	defaultUIPort      = 4040
	defaultConnectPort = 15002

	serviceSuffix = "-driver-svc"
)

// port is one that the driver listens on.
type port struct {
	name     string
	key      string
	protocol *string
	// inPod and inService differ if spark.blockManager.port alone is set: Spark's
	// Service doesn't follow it.
	inPod, inService int32
}

func (b *builder) ports() []port {
	driver := b.port(keyDriverPort, defaultDriverPort)
	block := b.port(keyDriverBlockPort, defaultBlockPort)
	ui := b.port(keyUIPort, defaultUIPort)
	ports := []port{
		{name: "driver-rpc-port", key: keyDriverPort, inPod: driver, inService: driver},
		{name: "blockmanager", key: keyDriverBlockPort, inPod: b.port(keyDriverBlockPort, b.port(keyBlockPort, defaultBlockPort)), inService: block},
		{name: "spark-ui", key: keyUIPort, inPod: ui, inService: ui},
	}
	if b.line.connectPort {
		connect := b.port(keyConnectPort, defaultConnectPort)
		ports = append(ports, port{name: "spark-connect", key: keyConnectPort, inPod: connect, inService: connect})
	}
	if b.line.connectProtocol {
		ports[3].protocol = ptr.To("grpc")
	}
	return ports
}

func (b *builder) port(key string, unset int32) int32 {
	return int32(b.conf.Integer(key, int(unset)))
}

// service lets executors find the driver.
func (b *builder) service() {
	name := b.prefix + serviceSuffix
	if len(name) > maxLabel {
		name = "spark-" + b.id.UniqueID + serviceSuffix
	}
	ports := b.ports()
	service := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{
			Name:        name,
			Namespace:   b.namespace,
			Labels:      merged(map[string]string{sparkconf.LabelAppID: b.id.AppID}, b.conf.WithPrefix(prefixServiceLabel)),
			Annotations: merged(nil, b.conf.WithPrefix(prefixServiceAnnotation)),
		},
		Spec: corev1.ServiceSpec{
			ClusterIP:      corev1.ClusterIPNone,
			IPFamilyPolicy: ptr.To(corev1.IPFamilyPolicy(b.oneOf(keyFamilyPolicy, "SingleStack", "PreferDualStack", "RequireDualStack"))),
			Selector:       b.labels,
		},
	}
	for family := range strings.SplitSeq(b.oneOf(keyFamilies, "IPv4", "IPv6", "IPv4,IPv6", "IPv6,IPv4"), ",") {
		service.Spec.IPFamilies = append(service.Spec.IPFamilies, corev1.IPFamily(family))
	}
	if b.line.publishesNotReady {
		service.Spec.PublishNotReadyAddresses = b.conf.Boolean(keyNotReady, false)
	}
	for _, p := range ports {
		service.Spec.Ports = append(service.Spec.Ports, corev1.ServicePort{
			Name: p.name, Port: p.inService, TargetPort: intstr.FromInt32(p.inService), AppProtocol: p.protocol,
		})
	}
	b.owned = append(b.owned, service)

	b.stored[keyDriverHost] = name + "." + b.namespace + ".svc"
	b.stored[keyDriverPort] = strconv.Itoa(int(ports[0].inService))
	b.stored[keyDriverBlockPort] = strconv.Itoa(int(ports[1].inService))
}

// check refuses what the API server would refuse of a service.
func (b *builder) check() {
	taken := map[int32]bool{}
	for _, p := range b.ports() {
		if p.inService < 1 || p.inService > 65535 {
			b.conf.Fail(p.key, strconv.Itoa(int(p.inService)), "is not a port from 1 to 65535", "write such a number")
		}
		if taken[p.inService] {
			b.conf.Fail(p.key, strconv.Itoa(int(p.inService)), "is another port of the driver already", "write another number")
		}
		taken[p.inService] = true
	}
}
