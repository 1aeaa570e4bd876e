package sparkactor

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/watch"
	corev1apply "k8s.io/client-go/applyconfigurations/core/v1"
	metav1apply "k8s.io/client-go/applyconfigurations/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"

	"muster.sh/muster/internal/sparkconf"
)

// App is a simulated Spark application.
type App struct {
	Name      string
	Namespace string // it must exist
	// Executors is spark.executor.instances.
	Executors int
	// DriverShape and ExecutorShape are the pods' requests: cpu, memory (whole
	// mebibytes) and, for executors, nvidia.com/gpu. Empty: 1 CPU and 1 GiB.
	DriverShape   corev1.ResourceList
	ExecutorShape corev1.ResourceList
	// Duration is how long it works once all its executors run; zero: 10 s.
	Duration time.Duration
	// SchedulerName is who schedules driver and executors; empty: the default.
	SchedulerName string
	// Conf are further Spark settings; they win over those made from the fields.
	Conf map[string]string
}

// Submitted names the objects of a submitted application.
type Submitted struct {
	Namespace string
	Driver    string // the driver pod
	DriverUID types.UID
	AppID     string // the value of the label spark-app-selector
}

// confMapDelay is the time that spark-submit takes between the driver pod and
// the ConfigMap with its settings: 0.35 to 0.7 s.
const confMapDelay = 500 * time.Millisecond

// Submit does what spark-submit in cluster mode does: it creates the driver
// pod, and half a second later its headless Service and the ConfigMap that the
// pod's volume waits for. It does not wait for the driver.
func Submit(ctx context.Context, client kubernetes.Interface, app App) (Submitted, error) {
	s := newSubmission(app)
	pod, err := client.CoreV1().Pods(s.app.Namespace).Create(ctx, s.driverPod(), metav1.CreateOptions{})
	if err != nil {
		return Submitted{}, fmt.Errorf("submit %s: create driver: %w", app.Name, err)
	}
	submitted := Submitted{Namespace: pod.Namespace, Driver: pod.Name, DriverUID: pod.UID, AppID: s.appID}
	timer := time.NewTimer(confMapDelay)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return submitted, ctx.Err()
	case <-timer.C:
	}
	// spark-submit's own client applies these, so that they are never seen
	// without their owner.
	options := metav1.ApplyOptions{FieldManager: "fabric8", Force: true}
	if _, err := client.CoreV1().Services(pod.Namespace).Apply(ctx, s.service(pod), options); err != nil {
		return submitted, fmt.Errorf("submit %s: apply service: %w", app.Name, err)
	}
	if _, err := client.CoreV1().ConfigMaps(pod.Namespace).Apply(ctx, s.configMap(pod), options); err != nil {
		return submitted, fmt.Errorf("submit %s: apply ConfigMap: %w", app.Name, err)
	}
	return submitted, nil
}

// Await waits until the application's driver has ended, and returns its phase.
func Await(ctx context.Context, client kubernetes.Interface, submitted Submitted) (corev1.PodPhase, error) {
	pods := cache.NewListWatchFromClient(client.CoreV1().RESTClient(), "pods", submitted.Namespace,
		fields.OneTermEqualSelector("metadata.name", submitted.Driver))
	event, err := watchtools.UntilWithSync(ctx, pods, &corev1.Pod{}, nil, func(event watch.Event) (bool, error) {
		pod, ok := event.Object.(*corev1.Pod)
		if event.Type == watch.Deleted {
			return false, fmt.Errorf("driver %s was deleted", submitted.Driver)
		}
		return ok && (pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed), nil
	})
	if err != nil {
		return "", fmt.Errorf("wait for driver %s: %w", submitted.Driver, err)
	}
	return event.Object.(*corev1.Pod).Status.Phase, nil
}

// submission holds the names that the objects of one application share.
type submission struct {
	app           App
	appID         string
	driver        string
	configMapName string
}

func newSubmission(app App) submission {
	unit := corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("1"), corev1.ResourceMemory: resource.MustParse("1Gi")}
	if app.DriverShape == nil {
		app.DriverShape = unit
	}
	if app.ExecutorShape == nil {
		app.ExecutorShape = unit
	}
	if app.Duration == 0 {
		app.Duration = 10 * time.Second
	}
	return submission{
		app:           app,
		appID:         "spark-" + uniqueSuffix() + uniqueSuffix(),
		driver:        app.Name + "-" + uniqueSuffix() + "-driver",
		configMapName: "spark-drv-" + uniqueSuffix() + "-conf-map",
	}
}

func (s submission) labels() map[string]string {
	return map[string]string{
		labelAppName:           s.app.Name,
		sparkconf.LabelAppID:   s.appID,
		sparkconf.LabelRole:    sparkconf.RoleDriver,
		sparkconf.LabelVersion: "4.3.0",
		labelSimulated:         "true",
	}
}

// image is never pulled: nothing runs on a simulated node.
const image = "simulated.invalid/spark:4.3.0"

func (s submission) driverPod() *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: s.driver, Namespace: s.app.Namespace, Labels: s.labels()},
		Spec: corev1.PodSpec{
			RestartPolicy: corev1.RestartPolicyNever,
			SchedulerName: s.app.SchedulerName,
			Containers: []corev1.Container{{
				Name:  "spark-kubernetes-driver",
				Image: image,
				Args:  []string{"driver", "--properties-file", "/opt/spark/conf/spark.properties", "--class", "simulated"},
				Env:   []corev1.EnvVar{{Name: "SPARK_APPLICATION_ID", Value: s.appID}},
				Ports: []corev1.ContainerPort{
					{Name: "driver-rpc-port", ContainerPort: 7078},
					{Name: "blockmanager", ContainerPort: 7079},
					{Name: "spark-ui", ContainerPort: 4040},
				},
				Resources:    s.driverResources(),
				VolumeMounts: []corev1.VolumeMount{{Name: "spark-conf-volume-driver", MountPath: "/opt/spark/conf"}},
			}},
			Volumes: []corev1.Volume{{
				Name: "spark-conf-volume-driver",
				VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{
					LocalObjectReference: corev1.LocalObjectReference{Name: s.configMapName},
					Items:                []corev1.KeyToPath{{Key: "spark.properties", Path: "spark.properties"}},
				}},
			}},
		},
	}
}

// driverResources are the requests; memory and devices are limited to them.
func (s submission) driverResources() corev1.ResourceRequirements {
	limits := s.app.DriverShape.DeepCopy()
	delete(limits, corev1.ResourceCPU)
	return corev1.ResourceRequirements{Requests: s.app.DriverShape, Limits: limits}
}

func (s submission) owner(driver *corev1.Pod) *metav1apply.OwnerReferenceApplyConfiguration {
	return metav1apply.OwnerReference().WithAPIVersion("v1").WithKind("Pod").
		WithName(driver.Name).WithUID(driver.UID).WithController(true)
}

func (s submission) service(driver *corev1.Pod) *corev1apply.ServiceApplyConfiguration {
	spec := corev1apply.ServiceSpec().WithClusterIP(corev1.ClusterIPNone).WithSelector(s.labels())
	for _, port := range driver.Spec.Containers[0].Ports {
		spec.WithPorts(corev1apply.ServicePort().WithName(port.Name).
			WithPort(port.ContainerPort).WithTargetPort(intstr.FromInt32(port.ContainerPort)))
	}
	return corev1apply.Service(s.driver+"-svc", s.app.Namespace).
		WithLabels(map[string]string{sparkconf.LabelAppID: s.appID, labelSimulated: "true"}).
		WithOwnerReferences(s.owner(driver)).WithSpec(spec)
}

func (s submission) configMap(driver *corev1.Pod) *corev1apply.ConfigMapApplyConfiguration {
	return corev1apply.ConfigMap(s.configMapName, s.app.Namespace).
		WithOwnerReferences(s.owner(driver)).WithImmutable(true).
		WithData(map[string]string{
			"spark.kubernetes.namespace": s.app.Namespace,
			"spark.properties":           s.properties(),
		})
}

// properties renders the settings as spark-submit does.
func (s submission) properties() string {
	settings := map[string]string{
		"spark.app.id":                     s.appID,
		"spark.app.name":                   s.app.Name,
		"spark.driver.host":                s.driver + "-svc." + s.app.Namespace + ".svc",
		"spark.executor.instances":         strconv.Itoa(s.app.Executors),
		"spark.kubernetes.container.image": image,
		"spark.kubernetes.driver.pod.name": s.driver,
		"spark.kubernetes.namespace":       s.app.Namespace,
		"spark.kubernetes.resource.type":   "java",
		"spark.kubernetes.submitInDriver":  "true",
		"spark.master":                     "k8s://https://kubernetes.default.svc",
		"spark.submit.deployMode":          "cluster",
		KeyDuration:                        strconv.FormatInt(s.app.Duration.Milliseconds(), 10) + "ms",
	}
	if s.app.SchedulerName != "" {
		settings["spark.kubernetes.scheduler.name"] = s.app.SchedulerName
	}
	maps.Copy(settings, shapeSettings(s.app.ExecutorShape))
	maps.Copy(settings, s.app.Conf)

	escape := strings.NewReplacer(`\`, `\\`, ":", `\:`, "=", `\=`, "#", `\#`, "!", `\!`, "\n", `\n`)
	var text strings.Builder
	fmt.Fprintf(&text, "#Java properties built from Kubernetes config map with name: %s\n", s.configMapName)
	for _, key := range slices.Sorted(maps.Keys(settings)) {
		fmt.Fprintf(&text, "%s=%s\n", escape.Replace(key), escape.Replace(settings[key]))
	}
	return text.String()
}

// shapeSettings are settings from which Spark computes the very shape.
func shapeSettings(shape corev1.ResourceList) map[string]string {
	const mebibyte = 1 << 20
	memory := shape.Memory().Value() / mebibyte
	overhead := max(memory/10, 1)
	settings := map[string]string{
		"spark.executor.cores":                    strconv.FormatInt(max(shape.Cpu().Value(), 1), 10),
		"spark.kubernetes.executor.request.cores": shape.Cpu().String(),
		"spark.executor.memory":                   fmt.Sprintf("%dm", memory-overhead),
		"spark.executor.memoryOverhead":           fmt.Sprintf("%dm", overhead),
	}
	if gpus, asked := shape["nvidia.com/gpu"]; asked && !gpus.IsZero() {
		settings["spark.executor.resource.gpu.amount"] = gpus.String()
		settings["spark.executor.resource.gpu.vendor"] = "nvidia.com"
	}
	return settings
}
