package connect

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/kubeflow/spark-operator/v2/api/v1alpha1"
	"github.com/kubeflow/spark-operator/v2/api/v1beta2"
	"github.com/kubeflow/spark-operator/v2/pkg/common"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"

	muster "muster.sh/muster/api/v1alpha1"
)

const (
	// Label is the label of all that belongs to a SparkConnect, which names it.
	Label = common.LabelSparkConnectName
	// CreatedLabel is on Services of SparkConnects.
	CreatedLabel = common.LabelCreatedBySparkOperator

	serverClass = "org.apache.spark.sql.connect.service.SparkConnectServer"
	// inImage is how Spark calls a program that the image has.
	inImage      = "spark-internal"
	serverSuffix = "-server"
	hadoopPrefix = "spark.hadoop."
)

// Application is the SparkApplication that runs the server. It has the name of the
// SparkConnect.
func Application(conn *v1alpha1.SparkConnect) *v1beta2.SparkApplication {
	spec := conn.Spec.DeepCopy()
	app := &v1beta2.SparkApplication{
		ObjectMeta: metav1.ObjectMeta{
			Name: conn.Name, Namespace: conn.Namespace, Labels: labelled(conn, conn.Labels),
			Annotations:     map[string]string{muster.ConnectGenerationAnnotation: strconv.FormatInt(conn.Generation, 10)},
			OwnerReferences: []metav1.OwnerReference{ownerReference(conn)},
		},
		Spec: v1beta2.SparkApplicationSpec{
			Type: v1beta2.SparkApplicationTypeScala, Mode: v1beta2.DeployModeCluster,
			SparkVersion: spec.SparkVersion, Image: spec.Image, MainClass: ptr.To(serverClass), MainApplicationFile: ptr.To(inImage),
			SparkConf: spec.SparkConf, HadoopConf: hadoop(spec.HadoopConf),
			RestartPolicy: v1beta2.RestartPolicy{Type: v1beta2.RestartPolicyAlways},
			Driver: v1beta2.DriverSpec{
				SparkPodSpec: probed(podSpec(spec.Server.SparkPodSpec, common.SparkDriverContainerName), conn),
				PodName:      ptr.To(conn.Name + serverSuffix),
			},
			Executor: v1beta2.ExecutorSpec{
				SparkPodSpec: podSpec(spec.Executor.SparkPodSpec, common.Spark3DefaultExecutorContainerName),
				Instances:    spec.Executor.Instances,
			},
		},
	}
	if spec.DynamicAllocation != nil {
		app.Spec.DynamicAllocation = ptr.To(v1beta2.DynamicAllocation(*spec.DynamicAllocation))
	}
	return app
}

// podSpec is that of a role. Spark's settings would win over the image of a template's
// container, which is meant to win over the one for both roles.
func podSpec(of v1alpha1.SparkPodSpec, container string) v1beta2.SparkPodSpec {
	spec := v1beta2.SparkPodSpec{Cores: of.Cores, Memory: of.Memory, Template: of.Template}
	if of.Template == nil || len(of.Template.Spec.Containers) == 0 {
		return spec
	}
	if image := containerOf(of.Template, container).Image; image != "" {
		spec.Image = &image
	}
	return spec
}

// containerOf is the container of a template that Spark takes: the one of the usual
// name, else the first.
func containerOf(template *corev1.PodTemplateSpec, name string) *corev1.Container {
	containers := template.Spec.Containers
	return &containers[max(0, slices.IndexFunc(containers, func(c corev1.Container) bool { return c.Name == name }))]
}

// probePeriod is how often it is asked whether the server listens, in seconds.
const probePeriod = 2

// probed has the server's pod be ready when the server listens, which is many seconds
// after its container has started. A probe of the user's own stays as it is.
func probed(of v1beta2.SparkPodSpec, conn *v1alpha1.SparkConnect) v1beta2.SparkPodSpec {
	port, err := portNumber(conn, ports[0].key, ports[0].unset)
	if err != nil {
		return of // There can't be a Service, and so no server, as is told of that.
	}
	if of.Template == nil {
		of.Template = &corev1.PodTemplateSpec{}
	}
	if len(of.Template.Spec.Containers) == 0 {
		of.Template.Spec.Containers = []corev1.Container{{Name: common.SparkDriverContainerName}}
	}
	server := containerOf(of.Template, common.SparkDriverContainerName)
	if server.ReadinessProbe == nil {
		server.ReadinessProbe = &corev1.Probe{
			ProbeHandler:  corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromInt32(port)}},
			PeriodSeconds: probePeriod,
		}
	}
	return of
}

// hadoop takes Spark's prefix away, which keys may have here.
func hadoop(conf map[string]string) map[string]string {
	var bare map[string]string
	for key, value := range conf {
		if bare == nil {
			bare = map[string]string{}
		}
		bare[strings.TrimPrefix(key, hadoopPrefix)] = value
	}
	return bare
}

// IsCurrent says whether an application is made of the SparkConnect as it is now. Another
// version of this program may make it differently, which is no reason to restart a server.
func IsCurrent(app *v1beta2.SparkApplication, conn *v1alpha1.SparkConnect) bool {
	return app.Annotations[muster.ConnectGenerationAnnotation] == strconv.FormatInt(conn.Generation, 10)
}

// labelled adds the label that names the SparkConnect.
func labelled(conn *v1alpha1.SparkConnect, labels map[string]string) map[string]string {
	all := maps.Clone(labels)
	if all == nil {
		all = map[string]string{}
	}
	all[Label] = conn.Name
	return all
}

func ownerReference(conn *v1alpha1.SparkConnect) metav1.OwnerReference {
	return *metav1.NewControllerRef(conn, v1alpha1.SchemeGroupVersion.WithKind("SparkConnect"))
}
