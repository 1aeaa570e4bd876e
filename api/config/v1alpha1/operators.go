package v1alpha1

import (
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// OperatorsKind is the kind of OperatorsConfiguration.
const OperatorsKind = "OperatorsConfiguration"

// OperatorsConfiguration configures muster-operators. Durations are written as "30s"
// or "5m".
type OperatorsConfiguration struct {
	metav1.TypeMeta `json:",inline"`

	// Controllers are those that run. Default: all of them.
	Controllers []Controller `json:"controllers,omitempty"`

	// ClientConnection is how the API server is reached. Its QPS caps how fast pods
	// are created: a TFJob takes two requests a pod, a SparkApplication about eight.
	ClientConnection ClientConnection `json:"clientConnection,omitzero"`
	// LeaderElection lets one of several replicas act.
	LeaderElection LeaderElection `json:"leaderElection,omitzero"`
	// Serving is where metrics are served. Default of its port: 10264.
	Serving Serving `json:"serving,omitzero"`
	// HealthPort is where health is served to everybody, over HTTP, on the address of
	// Serving; 0 serves nothing. Default: 10265.
	HealthPort *int32 `json:"healthPort,omitempty"`

	// Spark tells how SparkApplications are run.
	Spark SparkApplications `json:"spark,omitzero"`
	// TensorFlow tells how TFJobs are run.
	TensorFlow TensorFlow `json:"tensorFlow,omitzero"`
}

// Controller is the name of a controller.
type Controller string

const (
	// SparkController runs SparkApplications, and makes those of ScheduledSparkApplications.
	SparkController Controller = "spark"
	// TensorFlowController runs TFJobs.
	TensorFlowController Controller = "tensorflow"
)

// Controllers are all that there are.
var Controllers = []Controller{SparkController, TensorFlowController}

// SparkApplications tells how SparkApplications are run.
type SparkApplications struct {
	// SchedulerName is put into the pods of applications that name no scheduler, and of
	// those that ask for a batch scheduler, whichever it is. Default: muster.
	SchedulerName string `json:"schedulerName,omitempty"`
	// User is the name that Hadoop's file systems see of drivers and executors, which
	// Spark's own client takes from whoever calls it. Default: spark.
	User string `json:"user,omitempty"`
	// MaxTrackedExecutors bounds the executors that the status of an application lists,
	// which has to fit into one object with all else; 0 lists none. Default: 1000.
	MaxTrackedExecutors *int `json:"maxTrackedExecutors,omitempty"`
	// MetricLabels are labels of applications, and of executors' pods, that become labels
	// of the metrics spark_application_* and spark_executor_*. "namespace" is the
	// namespace. Each combination of values is a time series of its own. Default: none.
	MetricLabels []string `json:"metricLabels,omitempty"`
	// Workers is how many applications are looked after at the same time. Default: 8.
	Workers int `json:"workers,omitempty"`
	// Progress tells of how far applications have come.
	Progress SparkProgress `json:"progress,omitzero"`
	// HistoryServer is the URL of Spark's history server, to which the webUIAddress of an
	// application leads that has ended and has written events. Default: none.
	HistoryServer string `json:"historyServer,omitempty"`
	// Connect has SparkConnects looked after, where the API server knows them when the
	// operator starts. Default: true.
	Connect *bool `json:"connect,omitempty"`
	// Ingress tells of Ingresses for drivers.
	Ingress SparkIngress `json:"ingress,omitzero"`
}

// SparkIngress tells of Ingresses that lead to drivers. Who writes a SparkApplication
// chooses their annotations.
type SparkIngress struct {
	// URLFormat is where the pages of an application's driver are found, with
	// {{$appName}}, {{$appNamespace}} and {{$appId}}, such as
	// {{$appName}}.{{$appNamespace}}.example.com. Default: nowhere; there is no Ingress.
	URLFormat string `json:"urlFormat,omitempty"`
	// ClassName is the class of Ingresses. Default: the cluster's.
	ClassName string `json:"className,omitempty"`
	// Annotations are of Ingresses for pages of applications that have none of their own
	// in sparkUIOptions.ingressAnnotations.
	Annotations map[string]string `json:"annotations,omitempty"`
	// TLS is of Ingresses for pages of applications that have none of their own in
	// sparkUIOptions.ingressTLS.
	TLS []networkingv1.IngressTLS `json:"tls,omitempty"`
	// OfPorts has Ingresses made of driverIngressOptions, at any host that an application
	// names. Default: false.
	OfPorts bool `json:"ofPorts,omitempty"`
}

// SparkProgress tells how the drivers of running applications are asked how far they
// have come. The operator has to reach the pods for that.
type SparkProgress struct {
	// Interval is how long a driver isn't asked again, at least 1s; 0s asks none.
	// Default: 10s.
	Interval *metav1.Duration `json:"interval,omitempty"`
}

// GangDeclaration is a way to declare the pods of a job to be a gang.
type GangDeclaration string

const (
	// GangAuto is PodGroup where the API server serves Volcano's PodGroups when the
	// operator starts, Annotation otherwise.
	GangAuto GangDeclaration = "Auto"
	// GangByPodGroup makes one of Volcano's PodGroups for each job. It has a minimum
	// for each role.
	GangByPodGroup GangDeclaration = "PodGroup"
	// GangByAnnotation has the number of pods that start together on each of them, in
	// the annotation muster.sh/gang-members. Nothing has to be installed for it.
	GangByAnnotation GangDeclaration = "Annotation"
	// GangNone has pods scheduled one by one.
	GangNone GangDeclaration = "None"
)

// TensorFlow tells how TFJobs are run.
type TensorFlow struct {
	// SchedulerName is put into pods whose template names no scheduler.
	// Default: muster.
	SchedulerName string `json:"schedulerName,omitempty"`
	// Gangs is Auto, PodGroup, Annotation or None. Default: Auto.
	Gangs GangDeclaration `json:"gangs,omitempty"`
	// ClusterDomain ends the host names in TF_CONFIG, such as cluster.local. Without
	// one, the DNS search path of the pods completes them.
	ClusterDomain string `json:"clusterDomain,omitempty"`
	// Workers is how many jobs are looked after at the same time. Default: 8.
	Workers int `json:"workers,omitempty"`
}
