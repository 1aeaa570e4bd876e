package plan

import (
	"fmt"
	"strconv"

	"github.com/kubeflow/spark-operator/v2/api/v1beta2"
	"github.com/kubeflow/spark-operator/v2/pkg/common"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// monitor turns on metrics: a file that says what Spark reports, and Prometheus' agent
// in the JVM, if it is wanted.
func (p *planner) monitor() {
	monitoring := p.app.Spec.Monitoring
	if monitoring == nil {
		return
	}
	if data := metricsFiles(monitoring); len(data) > 0 {
		p.metrics = &corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{Name: p.metricsMap(), Namespace: p.app.Namespace},
			Immutable:  ptr.To(true),
			Data:       data,
		}
	}
	conf := map[string]string{
		"spark.metrics.namespace": p.app.Namespace + "." + p.app.Name,
		"spark.metrics.conf":      common.PrometheusConfigMapMountPath + "/" + common.MetricsPropertiesKey,
	}
	if file := text(monitoring.MetricsPropertiesFile); file != "" {
		conf["spark.metrics.conf"] = file
	}
	for key, value := range conf {
		if p.app.Spec.SparkConf == nil {
			p.app.Spec.SparkConf = map[string]string{}
		}
		p.app.Spec.SparkConf[key] = value
	}
	if monitoring.ExposeDriverMetrics {
		driver := &p.app.Spec.Driver
		expose(monitoring, &driver.SparkPodSpec, &driver.JavaOptions)
	}
	if monitoring.ExposeExecutorMetrics {
		executor := &p.app.Spec.Executor
		expose(monitoring, &executor.SparkPodSpec, &executor.JavaOptions)
	}
}

// metricsFiles are the configuration files that the image doesn't have.
func metricsFiles(monitoring *v1beta2.MonitoringSpec) map[string]string {
	files := map[string]string{}
	if text(monitoring.MetricsPropertiesFile) == "" {
		files[common.MetricsPropertiesKey] = common.DefaultMetricsProperties
		if monitoring.MetricsProperties != nil {
			files[common.MetricsPropertiesKey] = *monitoring.MetricsProperties
		}
	}
	if prometheus := monitoring.Prometheus; prometheus != nil && text(prometheus.ConfigFile) == "" {
		files[common.PrometheusConfigKey] = common.DefaultPrometheusConfiguration
		if prometheus.Configuration != nil {
			files[common.PrometheusConfigKey] = *prometheus.Configuration
		}
	}
	return files
}

// expose lets Prometheus find the metrics of a pod.
func expose(monitoring *v1beta2.MonitoringSpec, pod *v1beta2.SparkPodSpec, javaOptions **string) {
	annotations := map[string]string{
		common.PrometheusScrapeAnnotation: "true",
		common.PrometheusPortAnnotation:   strconv.Itoa(int(agentPort(monitoring))),
		common.PrometheusPathAnnotation:   "/metrics",
	}
	if pod.Annotations == nil {
		pod.Annotations = map[string]string{}
	}
	for key, value := range annotations {
		pod.Annotations[key] = value
	}
	prometheus := monitoring.Prometheus
	if prometheus == nil {
		return
	}
	file := text(prometheus.ConfigFile)
	if file == "" {
		file = common.PrometheusConfigMapMountPath + "/" + common.PrometheusConfigKey
	}
	agent := fmt.Sprintf("-javaagent:%s=%d:%s", prometheus.JmxExporterJar, agentPort(monitoring), file)
	if given := text(*javaOptions); given != "" {
		agent = given + " " + agent
	}
	*javaOptions = &agent
}

func agentPort(monitoring *v1beta2.MonitoringSpec) int32 {
	if monitoring.Prometheus != nil && monitoring.Prometheus.Port != nil {
		return *monitoring.Prometheus.Port
	}
	return common.DefaultPrometheusJavaAgentPort
}

// metricsMap is another one for each submission, so that it never has to be changed.
func (p *planner) metricsMap() string {
	return p.app.Name + "-" + p.submission.UniqueID + "-" + common.PrometheusConfigMapNameSuffix
}

// metricsFolder is where a role finds the configuration of its metrics.
func (p *planner) metricsFolder(r role) (configMap, path string, mounted bool) {
	if !r.exposesMetrics || len(metricsFiles(p.app.Spec.Monitoring)) == 0 {
		return "", "", false
	}
	return p.metricsMap(), common.PrometheusConfigMapMountPath, true
}

// metricsPort is the port of Prometheus' agent.
func (p *planner) metricsPort(r role) (port corev1.ContainerPort, exposed bool) {
	if !r.exposesMetrics || p.app.Spec.Monitoring.Prometheus == nil {
		return port, false
	}
	name := common.DefaultPrometheusPortName
	if given := text(p.app.Spec.Monitoring.Prometheus.PortName); given != "" {
		name = given
	}
	return corev1.ContainerPort{Name: name, ContainerPort: agentPort(p.app.Spec.Monitoring), Protocol: corev1.ProtocolTCP}, true
}
