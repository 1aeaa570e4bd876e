package plan

import (
	"path"
	"strings"

	"github.com/kubeflow/spark-operator/v2/api/v1beta2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// role is what driver and executors have in common.
type role struct {
	name string
	path *field.Path
	pod  *v1beta2.SparkPodSpec
	// container is the name of Spark's container.
	container string
	// env is the prefix of settings for variables.
	env string

	coreRequest, javaOptions, priorityClass *string
	lifecycle                               *corev1.Lifecycle
	ports                                   []v1beta2.Port
	exposesMetrics                          bool
}

func (p *planner) driver() role {
	driver := &p.app.Spec.Driver
	return role{
		name: "driver", path: specPath.Child("driver"), pod: &driver.SparkPodSpec,
		container: "spark-kubernetes-driver", env: "spark.kubernetes.driverEnv.",
		coreRequest: driver.CoreRequest, javaOptions: driver.JavaOptions, priorityClass: driver.PriorityClassName,
		lifecycle: driver.Lifecycle, ports: driver.Ports,
		exposesMetrics: p.app.Spec.Monitoring != nil && p.app.Spec.Monitoring.ExposeDriverMetrics,
	}
}

func (p *planner) executor() role {
	executor := &p.app.Spec.Executor
	return role{
		name: "executor", path: specPath.Child("executor"), pod: &executor.SparkPodSpec,
		container: "spark-kubernetes-executor", env: "spark.executorEnv.",
		coreRequest: executor.CoreRequest, javaOptions: executor.JavaOptions, priorityClass: executor.PriorityClassName,
		lifecycle: executor.Lifecycle, ports: executor.Ports,
		exposesMetrics: p.app.Spec.Monitoring != nil && p.app.Spec.Monitoring.ExposeExecutorMetrics,
	}
}

// roleSettings are the fields of a pod that settings of Spark exist for.
func (p *planner) roleSettings(r role) {
	s, kubernetes := &p.settings, "spark.kubernetes."+r.name+"."
	image := r.pod.Image
	if text(image) == "" {
		image = p.app.Spec.Image
	}
	setField(s, r.path.Child("image"), kubernetes+"container.image", image)
	setField(s, r.path.Child("cores"), "spark."+r.name+".cores", r.pod.Cores)
	setField(s, r.path.Child("coreRequest"), kubernetes+"request.cores", r.coreRequest)
	setField(s, r.path.Child("coreLimit"), kubernetes+"limit.cores", r.pod.CoreLimit)
	setField(s, r.path.Child("memory"), "spark."+r.name+".memory", r.pod.Memory)
	setField(s, r.path.Child("memoryOverhead"), "spark."+r.name+".memoryOverhead", r.pod.MemoryOverhead)
	setField(s, r.path.Child("serviceAccount"), "spark.kubernetes.authenticate."+r.name+".serviceAccountName", r.pod.ServiceAccount)
	setField(s, r.path.Child("javaOptions"), "spark."+r.name+".extraJavaOptions", r.javaOptions)
	setField(s, r.path.Child("schedulerName"), kubernetes+"scheduler.name", r.pod.SchedulerName)
	s.setAll(r.path.Child("nodeSelector"), kubernetes+"node.selector.", r.pod.NodeSelector)
	if security := r.pod.SecurityContext; security != nil {
		setField(s, r.path.Child("securityContext", "allowPrivilegeEscalation"),
			kubernetes+"securityContext.allowPrivilegeEscalation", security.AllowPrivilegeEscalation)
	}
	p.metadataSettings(r)
	s.setAll(r.path.Child("envVars"), r.env, r.pod.EnvVars)
	for _, name := range sortedKeys(r.pod.EnvSecretKeyRefs) {
		reference := r.pod.EnvSecretKeyRefs[name]
		s.set(r.path.Child("envSecretKeyRefs").Key(name), kubernetes+"secretKeyRef."+name, reference.Name+":"+reference.Key)
	}
	p.secretSettings(r)
	s.set(r.path.Child("template"), kubernetes+"podTemplateContainerName", r.container)
}

// Labels by which Kubeflow's operator knows its pods, and its users theirs.
const (
	LabelAppName      = "sparkoperator.k8s.io/app-name"
	LabelLaunched     = "sparkoperator.k8s.io/launched-by-spark-operator"
	LabelSubmissionID = "sparkoperator.k8s.io/submission-id"

	// kueuePrefix begins labels that would make a pod a workload of its own.
	kueuePrefix = "kueue.x-k8s.io/"
)

func (p *planner) metadataSettings(r role) {
	s, kubernetes := &p.settings, "spark.kubernetes."+r.name+"."
	for key, value := range p.app.Labels {
		if !strings.HasPrefix(key, kueuePrefix) {
			s.set(field.NewPath("metadata", "labels").Key(key), kubernetes+"label."+key, value)
		}
	}
	s.setAll(r.path.Child("labels"), kubernetes+"label.", r.pod.Labels)
	s.setAll(r.path, kubernetes+"label.", map[string]string{
		LabelAppName: p.app.Name, LabelLaunched: "true", LabelSubmissionID: p.submission.ID,
	})
	s.setAll(r.path.Child("annotations"), kubernetes+"annotation.", r.pod.Annotations)
}

// secretSettings mount secrets, and say where those of known types are.
func (p *planner) secretSettings(r role) {
	s := &p.settings
	for i, secret := range r.pod.Secrets {
		field := r.path.Child("secrets").Index(i)
		s.set(field, "spark.kubernetes."+r.name+".secrets."+secret.Name, secret.Path)
		switch secret.Type {
		case v1beta2.SecretTypeGCPServiceAccount:
			s.set(field, r.env+"GOOGLE_APPLICATION_CREDENTIALS", path.Join(secret.Path, "key.json"))
		case v1beta2.SecretTypeHadoopDelegationToken:
			s.set(field, r.env+"HADOOP_TOKEN_FILE_LOCATION", path.Join(secret.Path, "hadoop.token"))
		}
	}
}
